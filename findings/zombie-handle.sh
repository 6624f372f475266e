#!/bin/bash
# JDK 21 to 27: for ProcessHandle a zombie is alive, and its onExit() does not complete, as long as the zombie's parent
# does not wait for it. For a child of the JVM, the same interface completes at once.
#
# Guess: onExit() stands on a pidfd or on something like it, and a process that has ended has ended.
# Cause: of a process that is not its child the JDK only asks, at growing intervals, whether /proc/PID/stat is there
# with the same start time. It does not look at the state beside it, which says Z.
# It matters to: a shim or a supervisor in Java that watches processes it did not start, for example the init of a
# container that was started by an OCI runtime: until it is reaped, it seems to run. A pidfd, polled here by perl
# for comparison, says at once that it has ended.
. "$(dirname "$0")/lib.sh"
need_commands perl
jdk 25
cat >"$T/Zombie.java" <<'J'
import java.nio.file.*; import java.util.concurrent.*;

public class Zombie {
  static String ends(ProcessHandle handle, int seconds) throws Exception {
    try {
      handle.onExit().get(seconds, TimeUnit.SECONDS);
      return "completes";
    } catch (TimeoutException e) {
      return "does not complete";
    }
  }
  public static void main(String[] args) throws Exception {
    // the shell's child ends, and the program that the shell becomes does not wait for it
    var parent = new ProcessBuilder("sh", "-c", "sleep 0.1 & echo $!; exec sleep 60").start();
    try {
      long pid = Long.parseLong(parent.inputReader().readLine());
      Path stat = Path.of("/proc/" + pid + "/stat");
      while (!Files.readString(stat).contains(") Z ")) Thread.sleep(50);
      var zombie = ProcessHandle.of(pid).orElseThrow();
      String poll = "my $fd = syscall(434, $ARGV[0] + 0, 0); vec(my $set, $fd, 1) = 1; print scalar select($set, undef, undef, 0)";
      var pidfd = new ProcessBuilder("perl", "-e", poll, "" + pid).start();
      System.out.println(new String(pidfd.getInputStream().readAllBytes()));
      System.out.println(zombie.isAlive());
      System.out.println(ends(zombie, 10));
      parent.destroyForcibly();
      System.out.println(ends(zombie, 60));
    } finally {
      parent.destroyForcibly();
    }
  }
}
J
mapfile -t seen < <("$JAVA" "$T/Zombie.java")
expect 'pidfds of the zombie that are readable' 1 "${seen[0]-}"
expect 'ProcessHandle.isAlive() of the zombie' true "${seen[1]-}"
expect 'ProcessHandle.onExit() of the zombie, within 10 s' 'does not complete' "${seen[2]-}"
expect 'ProcessHandle.onExit() after the parent has ended and it was reaped' completes "${seen[3]-}"
verdict
