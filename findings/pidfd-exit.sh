#!/bin/bash
# Linux 6.15 and newer (seen on 6.18): ioctl(PIDFD_GET_INFO) with PIDFD_INFO_EXIT, made so that one who is not the parent
# learns an exit status, says nothing about a process that has ended, as long as it is a zombie. It says it after the parent
# has reaped it, when the pid may belong to another process already, and also through a pidfd that was opened on the zombie.
#
# Guess: the status is there from the exit on, and lost with the zombie, as for waitid(2); and poll(2), which says
# readable from the exit on, says when to ask.
# Cause: the kernel stores it in the pidfd's inode when the process is released, and answers only from there.
# It matters to: a shim that watches processes by pidfd. It must not ask when the pidfd becomes readable; it has to wait for
# POLLHUP beside POLLIN, which comes when the zombie is reaped. And it never learns the status of a process whose parent
# does not wait.
. "$(dirname "$0")/lib.sh"
kernel_at_least 6.15 || skip 'PIDFD_INFO_EXIT is there from Linux 6.15 on'
say "Linux $(uname -r)"
compile exit <<'C'
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
/* as in linux/pidfd.h of 6.15, which older headers do not have */
struct info { uint64_t mask, cgroup; uint32_t ids[11]; int32_t exit_code; uint32_t more[2]; };
#define GET_INFO _IOWR(0xFF, 11, struct info)
#define INFO_EXIT 8

static void show(int pidfd) {
  struct info info = {.mask = INFO_EXIT};
  struct pollfd poll_ = {pidfd, POLLIN, 0};
  if (ioctl(pidfd, GET_INFO, &info) != 0) puts("error");
  poll(&poll_, 1, 0);
  printf("%s,%s%s\n", info.mask & INFO_EXIT ? WEXITSTATUS(info.exit_code) == 7 ? "7" : "other" : "none",
         poll_.revents & POLLIN ? " POLLIN" : "", poll_.revents & POLLHUP ? " POLLHUP" : "");
}

int main(void) {
  siginfo_t unused;
  pid_t child = fork();
  if (child == 0) _exit(7);
  waitid(P_PID, child, &unused, WEXITED | WNOWAIT);
  int pidfd = syscall(SYS_pidfd_open, child, 0);
  show(pidfd);
  waitpid(child, 0, 0);
  show(pidfd);
}
C
mapfile -t seen < <("$T/exit")
expect 'a zombie that ended with 7: status, poll' 'none, POLLIN' "${seen[0]-}"
expect 'the same pidfd after the parent has waited: status, poll' '7, POLLIN POLLHUP' "${seen[1]-}"
verdict
