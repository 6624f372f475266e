#!/bin/bash
# JDK 21 against JDK 25 (26 to 28 are like 25): two virtual threads that read fifos without a writer stop all virtual
# threads of a JVM with two carriers. On JDK 21 they do not: the JVM adds a carrier for each blocked read of a file.
#
# Guess: JEP 444 says that file I/O compensates by expanding the parallelism for a time, so a fifo is slow at worst; or,
# it is the other way round, as newer releases only became better at this (JEP 491).
# Cause: the compensation around java.io and FileChannel reads, writes and opens was taken out again. It has stayed for
# the streams of a Process, so code that was tried with a child's output proves nothing about a fifo.
# It matters to: a shim, whose clients' streams are fifos, on virtual threads. As many silent clients as there are
# processors stop it.
. "$(dirname "$0")/lib.sh"
jdk 25
new=$JAVA
jdk 21
old=$JAVA
cat >"$T/Carriers.java" <<'J'
import java.io.*; import java.nio.ByteBuffer; import java.nio.channels.FileChannel; import java.nio.file.*;
import java.util.concurrent.*;

public class Carriers {
  interface Read { void run() throws Exception; }

  public static void main(String[] args) throws Exception {
    Path fifo = Path.of(args[1]);
    // keeps the fifo open for writing, so that opening it does not wait
    try (var holder = new RandomAccessFile(fifo.toFile(), "rw")) {
      for (int i = 0; i < 2; i++) {
        Process child = new ProcessBuilder("sleep", "4").start();
        Read read = switch (args[0]) {
          case "channel" -> () -> FileChannel.open(fifo, StandardOpenOption.READ).read(ByteBuffer.allocate(1));
          case "stream" -> () -> new FileInputStream(fifo.toFile()).read();
          default -> () -> child.getInputStream().read();
        };
        Thread.ofVirtual().start(() -> {
          try { read.run(); } catch (Exception e) { e.printStackTrace(); }
        });
      }
      Thread.sleep(1000);
      var ran = new CountDownLatch(1);
      Thread.ofVirtual().start(ran::countDown);
      System.out.print(ran.await(1, TimeUnit.SECONDS) ? "runs" : "waits");
      holder.write(new byte[2]);
      System.out.println(ran.await(30, TimeUnit.SECONDS) ? "" : " for ever");
    }
  }
}
J
mkfifo "$T/fifo"
for how in stream channel child; do
  [[ $how == child ]] && what='the output of children' || what="a fifo as $how"
  [[ $how == child ]] && wanted=runs || wanted=waits
  for java in "$old" "$new"; do
    feature=$("$java" --version | sed -n 's/^openjdk \([0-9]*\).*/\1/p')
    [[ $feature == 21 ]] && wanted_here=runs || wanted_here=$wanted
    seen=$("$java" -Djdk.virtualThreadScheduler.parallelism=2 "$T/Carriers.java" $how "$T/fifo")
    expect "JDK $feature, two threads read $what: a third" "$wanted_here" "$seen"
  done
done
verdict
