#!/bin/bash
# Linux (seen on 6.18): what it takes to start a program grows with the highest number of an open descriptor, not with how
# many are open. A process with four files, one of which has the number 19000, starts programs more slowly than one with
# four thousand at 3 to 4002; closing that one makes it fast again.
#
# Guess: a child begins with a copy of its parent's table of descriptors, and few files are a small table.
# Cause: the copy has a place for each number up to the highest, and each is looked at, used or not.
# It matters to: programs that move descriptors out of the way to high numbers, and servers that once had many open and kept
# the last one: each start of a child pays for the numbers in between.
. "$(dirname "$0")/lib.sh"
need_commands gcc
(($(ulimit -Hn) > 19000)) || skip "the hard limit of open files here is $(ulimit -Hn)"
say "Linux $(uname -r)"
compile spawns -D_GNU_SOURCE <<'C'
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}
/* the best of 401, in microseconds */
static double start(void) {
  double best = 1e9;
  for (int i = 0; i < 401; i++) {
    char *argv[] = {"true", 0}, *envp[] = {0};
    pid_t child;
    double begin = now();
    if (posix_spawn(&child, "/bin/true", 0, 0, argv, envp)) exit(1);
    double end = now();
    waitpid(child, 0, 0);
    if (end - begin < best) best = end - begin;
  }
  return best;
}
int main(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  printf("%.0f\n", start());
  for (int i = 3; i < 4003; i++) if (fcntl(0, F_DUPFD, 3) < 0) return 1;
  printf("%.0f\n", start());
  closefrom(3);
  if (dup2(0, 19000) < 0) return 1;
  printf("%.0f\n", start());
  close(19000);
  printf("%.0f\n", start());
}
C
mapfile -t micros < <("$T/spawns" </dev/null)
say "  the best of 401 starts of true: 3 files ${micros[0]} µs, 4003 files ${micros[1]}, 4 files with one at 19000 ${micros[2]}, that one closed ${micros[3]}"
more_than() { (($1 > $2)) && echo yes || echo no; }
expect 'one file at 19000 costs more than 4000 at 3 to 4002' yes "$(more_than "${micros[2]}" "${micros[1]}")"
expect 'and more than a quarter more than no such file' yes "$(more_than "${micros[2]}" $((micros[0] * 5 / 4)))"
expect 'once it is closed, it costs less than that again' yes "$(more_than "${micros[2]}" $((micros[3] * 5 / 4)))"
verdict
