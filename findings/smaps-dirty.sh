#!/bin/bash
# Linux (seen on 6.18): Private_Dirty of a process (/proc/PID/smaps) has pages that it only reads. A file that another
# program has just written, and that one process maps for reading, counts there as a whole, until the kernel has written it
# to the disk; then it is Private_Clean. Nothing has changed in the process meanwhile.
#
# Guess: private dirty memory is what a process has written itself, and what it would give back if it ended.
# Cause: a page counts as dirty when the page cache has not written it back yet, whoever made it so, and as private when one
# process has it mapped. Anonymous, in the same file, counts the copies that a process has made.
# It matters to: those who measure what a process takes right after an installation, a build or the making of an archive: of
# a JVM whose archive of classes is fresh, megabytes seem to be its own.
. "$(dirname "$0")/lib.sh"
need_commands gcc
[[ $(stat -f -c %T "$T") != tmpfs ]] || skip "$T is in memory, and never written to a disk; TMPDIR can name another place"
say "Linux $(uname -r)"
compile reader <<'C'
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
/* maps a file for reading, reads all of it, and tells some sums over its mapping each time a line comes */
int main(int argc, char **argv) {
  size_t size = 16 << 20;
  volatile char *file = mmap(0, size, PROT_READ, MAP_PRIVATE, open(argv[1], O_RDONLY), 0);
  char line[256], key[64];
  long value, sum = 0;
  for (size_t i = 0; i < size; i += 4096) sum += file[i];
  while (fgets(line, sizeof line, stdin)) {
    FILE *maps = fopen("/proc/self/smaps", "r");
    int here = 0;
    while (fgets(line, sizeof line, maps)) {
      if (strstr(line, argv[1])) here = 1;
      else if (line[0] >= 'a' && line[0] <= 'f') here = 0;
      if (here && sscanf(line, "%63[^:]: %ld kB", key, &value) == 2 &&
          (!strcmp(key, "Private_Dirty") || !strcmp(key, "Private_Clean") || !strcmp(key, "Anonymous")))
        printf("%s %ld ", key, value >> 10);
      if (here && !strncmp(line, "VmFlags", 7)) here = 0;
    }
    printf("\n");
    fflush(stdout);
    fclose(maps);
  }
}
C
head -c 16M /dev/urandom >"$T/data"
coproc reader { "$T/reader" "$T/data"; }
ask() { echo >&"${reader[1]}"; read -r seen <&"${reader[0]}"; }
ask
expect 'a file that was just written, in MB' 'Private_Clean 0 Private_Dirty 16 Anonymous 0' "${seen% }"
sync "$T/data"
ask
expect 'after sync(1) of the file' 'Private_Clean 16 Private_Dirty 0 Anonymous 0' "${seen% }"
exec {reader[1]}>&-
wait "$reader_PID"
verdict
