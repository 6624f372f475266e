#!/bin/bash
# JDK 25 to 28: Thread.interrupt() does not return while the virtual thread that it interrupts is stuck in
# FileChannel.read. Here it comes back when another process writes a byte, two seconds later. With a platform thread as the
# reader it returns at once and the read ends. On JDK 21 it returns at once for both.
#
# Guess: interrupt() is one flag and one wake-up, and never waits for the thread that it interrupts.
# Cause: interrupting a thread in a FileChannel closes the channel, and close() waits until no thread is inside the read.
# It wakes a platform thread by a signal; a virtual thread in a native call gets none.
# It matters to: a server on virtual threads that keeps deadlines by interrupting: the one thread that keeps the
# deadlines of all calls hangs with the first read that is stuck, and no other deadline is kept from then on.
. "$(dirname "$0")/lib.sh"
jdk 25
cat >"$T/Interrupt.java" <<'J'
import java.io.RandomAccessFile; import java.nio.ByteBuffer; import java.nio.channels.*; import java.nio.file.*;
import java.util.concurrent.*;

public class Interrupt {
  static String interrupt(Thread.Builder builder, Path fifo, RandomAccessFile holder) throws Exception {
    var result = new FutureTask<String>(() -> {
      try (var channel = FileChannel.open(fifo, StandardOpenOption.READ)) {
        return "read " + channel.read(ByteBuffer.allocate(1));
      } catch (ClosedByInterruptException e) {
        return "ClosedByInterruptException";
      }
    });
    Thread reader = builder.start(result);
    Thread.sleep(1000);
    var returned = new CountDownLatch(1);
    Thread.ofPlatform().start(() -> { reader.interrupt(); returned.countDown(); });
    String when = returned.await(2, TimeUnit.SECONDS) ? "returned at once" : "did not return for 2 s";
    holder.write(1);
    return when + (returned.await(20, TimeUnit.SECONDS) ? "" : " nor after the byte") + "; " + result.get(20, TimeUnit.SECONDS);
  }
  public static void main(String[] args) throws Exception {
    Path fifo = Path.of(args[0]);
    try (var holder = new RandomAccessFile(fifo.toFile(), "rw")) {
      System.out.println(interrupt(Thread.ofVirtual(), fifo, holder));
      System.out.println(interrupt(Thread.ofPlatform(), fifo, holder));
    }
  }
}
J
mkfifo "$T/fifo"
mapfile -t seen < <("$JAVA" "$T/Interrupt.java" "$T/fifo")
expect 'virtual reader: interrupt()' 'did not return for 2 s; ClosedByInterruptException' "${seen[0]-}"
expect 'platform reader: interrupt()' 'returned at once; ClosedByInterruptException' "${seen[1]-}"
verdict
