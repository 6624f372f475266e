#!/bin/bash
# JDK 25 (preview): a StructuredTaskScope with a timeout of one second lasts for as long as the slowest subtask is in
# open(2) of a fifo that has no other end. join() does throw TimeoutException, and the subtask is interrupted; but the end
# of the try statement waits for it without a limit, and an interrupt of the owner does not end that either. A virtual
# thread that sleeps in the same place is over after the second.
#
# Guess: withTimeout limits how long the scope takes: that is what a timeout is for, and cancellation is part of the name.
# Cause: close() waits until each thread has ended, so that none outlives the block; and what an interrupt does not end,
# such as a call of the kernel, it waits for.
# It matters to: a server that would give a deadline to a step into a file system: a dead NFS server, a FUSE process or a
# reader that never comes holds the call all the same. Such steps need a way to be left behind, which a scope rules out.
. "$(dirname "$0")/lib.sh"
jdk 25
mkfifo "$T/fifo"
cat >"$T/Scope.java" <<'J'
import java.io.FileInputStream;
import java.time.Duration;
import java.util.concurrent.*;
import java.util.concurrent.StructuredTaskScope.*;

public class Scope {
  public static void main(String[] args) throws Exception {
    var said = new ConcurrentLinkedQueue<String>();
    var owner = Thread.ofVirtual().start(() -> {
      try (var scope = StructuredTaskScope.open(Joiner.<Object>awaitAll(), c -> c.withTimeout(Duration.ofSeconds(1)))) {
        scope.fork(() -> {
          if (args[0].equals("open")) new FileInputStream(args[1]).close();
          else Thread.sleep(Duration.ofMinutes(10));
          return "";
        });
        scope.join();
      } catch (StructuredTaskScope.TimeoutException e) {
        said.add("TimeoutException");
      } catch (InterruptedException e) {
        said.add("InterruptedException");
      }
    });
    owner.join(Duration.ofSeconds(5));
    System.out.println(owner.isAlive() ? "waits after 5 s" : "over, " + said);
    owner.interrupt();
    owner.join(Duration.ofSeconds(5));
    System.out.println(owner.isAlive() ? "waits after an interrupt" : "over, " + said);
    if (owner.isAlive()) {
      try (var end = new java.io.FileOutputStream(args[1])) { owner.join(Duration.ofSeconds(5)); }
      System.out.println(owner.isAlive() ? "waits" : "over, " + said);
    }
  }
}
J
"$JAVA" -m jdk.compiler/com.sun.tools.javac.Main --enable-preview -source 25 -nowarn -d "$T/classes" "$T/Scope.java" 2>"$T/err" ||
  cannot "it does not compile: $(<"$T/err")"
mapfile -t seen < <(timeout 60 "$JAVA" --enable-preview -cp "$T/classes" Scope sleep "$T/fifo" 2>>"$T/err")
expect 'a subtask that sleeps: the scope' 'over, [TimeoutException]' "${seen[0]-}"
mapfile -t seen < <(timeout 60 "$JAVA" --enable-preview -cp "$T/classes" Scope open "$T/fifo" 2>>"$T/err")
expect 'a subtask that opens a fifo: the scope' 'waits after 5 s' "${seen[0]-}"
expect 'when its owner is interrupted' 'waits after an interrupt' "${seen[1]-}"
expect 'when the fifo has got another end' 'over, [TimeoutException]' "${seen[2]-}"
((${#seen[@]} == 3)) || cat "$T/err"
verdict
