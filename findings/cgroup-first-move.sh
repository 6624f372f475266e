#!/bin/bash
# Linux, cgroup v1 and v2 alike (seen on 6.18): the first move of a process into a cgroup takes milliseconds, a second one
# straight after it microseconds, of whatever process into whatever cgroup, host-wide. 100 ms later it takes milliseconds
# again. A child that is born in the cgroup, by clone3(2) with CLONE_INTO_CGROUP, does not wait at all.
#
# Guess: a write of a pid to cgroup.procs costs the same each time.
# Cause: a move takes a per-CPU lock that keeps forks away; to turn that from "cheap for readers" to "held by a writer" costs
# an RCU grace period, and for some milliseconds it stays turned. The mount option favordynmods leaves it so for good.
# It matters to: those who measure container runtimes side by side. Each create and each exec has one such move, so what runs
# straight after another, on the other side of the comparison, gets the wait for nothing: pause between commands.
. "$(dirname "$0")/lib.sh"
need_root
own_mounts "$@"
mkdir "$T/groups"
mount -t cgroup2 none "$T/groups" 2>/dev/null || skip 'a cgroup v2 tree cannot be mounted here'
! grep -q 'cgroup2.*favordynmods' /proc/mounts || skip 'cgroup v2 is mounted with favordynmods'
one=$T/groups/finding-$$-1 two=$T/groups/finding-$$-2
cleanup() { rmdir "$one" "$two"; }
mkdir "$one" "$two" || skip 'no cgroup can be made here'
say "Linux $(uname -r)"
compile moves -D_GNU_SOURCE <<'C'
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}
/* moves a child into the group by writing its pid, or makes it there; microseconds */
static double move(const char *procs, const char *group, int born) {
  int fd = open(born ? group : procs, born ? O_RDONLY | O_DIRECTORY : O_WRONLY);
  struct clone_args args = {.exit_signal = SIGCHLD, .flags = born ? CLONE_INTO_CGROUP : 0, .cgroup = fd};
  double start = now();
  pid_t child = syscall(SYS_clone3, &args, sizeof args);
  if (child == 0) for (;;) pause();
  if (child < 0) exit(1);
  if (!born) {
    char pid[20];
    start = now();
    if (write(fd, pid, snprintf(pid, sizeof pid, "%d", child)) < 0) exit(1);
  }
  double end = now();
  kill(child, SIGKILL);
  waitpid(child, 0, 0);
  close(fd);
  return end - start;
}
static int compare(const void *a, const void *b) { return *(double *)a < *(double *)b ? -1 : 1; }
int main(int argc, char **argv) {
  double times[4][21];
  for (int i = 0; i < 21; i++) {
    usleep(200000);
    times[0][i] = move(argv[2], argv[1], 0);
    times[1][i] = move(argv[4], argv[3], 0);
    usleep(100000);
    times[2][i] = move(argv[2], argv[1], 0);
    usleep(100000);
    times[3][i] = move(argv[2], argv[1], 1);
  }
  for (int i = 0; i < 4; i++) {
    qsort(times[i], 21, sizeof(double), compare);
    printf("%.0f\n", times[i][10]);
  }
}
C
mapfile -t micros < <("$T/moves" "$one" "$one/cgroup.procs" "$two" "$two/cgroup.procs")
say "  medians of 21: first ${micros[0]} µs, second ${micros[1]}, after 100 ms ${micros[2]}, born there ${micros[3]}"
((micros[0] >= 1000)) || ((micros[2] >= 1000)) || skip 'others move processes all the time, or favordynmods is on for cgroup v1'
more_than() { (($1 > $2 * $3)) && echo yes || echo no; }
expect 'the first takes more than five times as long as the second' yes "$(more_than "${micros[0]}" 5 "${micros[1]}")"
expect 'the one after 100 ms as well' yes "$(more_than "${micros[2]}" 5 "${micros[1]}")"
expect 'and more than five times as long as a birth in the cgroup' yes "$(more_than "${micros[2]}" 5 "${micros[3]}")"
verdict
