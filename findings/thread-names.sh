#!/bin/bash
# JDK 26 to 28: the names of a JVM's threads that the kernel knows (/proc/PID/task/*/comm, ps -L, top -H, perf, gdb) are
# cut in the middle, with two dots for what is missing. Up to JDK 25 they were cut at the end.
#
# Guess: comm has 15 bytes, a longer name keeps its first 15, and scripts may match on that.
# Cause: since JDK 26 HotSpot keeps 7 characters of the beginning and 6 of the end, so that numbers are seen.
# It matters to: a server that gives its threads telling names, and to those who count or profile them from outside.
# A script that counts the carriers of virtual threads by `ForkJoinPool-1-` finds none any more after an upgrade.
. "$(dirname "$0")/lib.sh"
jdk 25
old=$JAVA
jdk 27
new=$JAVA
cat >"$T/Names.java" <<'J'
import java.nio.file.*;

public class Names {
  public static void main(String[] args) throws Exception {
    Thread.ofPlatform().name("connection-reader-17").start(() -> show("connect")).join();
    Thread.ofVirtual().name("never-seen-by-the-kernel").start(() -> show("Fork")).join();
  }
  static void show(String prefix) {
    try (var tasks = Files.list(Path.of("/proc/self/task"))) {
      for (Path task : tasks.toList()) {
        String name = Files.readString(task.resolve("comm")).trim();
        if (name.startsWith(prefix)) System.out.println(name);
      }
    } catch (java.io.IOException e) {
      e.printStackTrace();
    }
  }
}
J
mapfile -t seen < <("$old" -Djdk.virtualThreadScheduler.parallelism=1 "$T/Names.java")
expect 'JDK 25: "connection-reader-17"' 'connection-read' "${seen[0]-}"
expect 'JDK 25: "ForkJoinPool-1-worker-1", which carries virtual threads' 'ForkJoinPool-1-' "${seen[1]-}"
mapfile -t seen < <("$new" -Djdk.virtualThreadScheduler.parallelism=1 "$T/Names.java")
expect 'JDK 27: "connection-reader-17"' 'connect..der-17' "${seen[0]-}"
expect 'JDK 27: "ForkJoinPool-1-worker-1"' 'ForkJoi..rker-1' "${seen[1]-}"
verdict
