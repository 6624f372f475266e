package io.loomshim.stdio;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Splice;
import io.loomshim.log.Log;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Moves one stream on a virtual thread of its own until the source ends, then closes both ends. For
 * the streams that cannot be handed over: those of processes that must own their pipes, and those
 * that a security module would check again.
 */
final class Pump {
  private final String name;
  private final Fd from;
  private final Fd to;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread thread;

  /** Starts to move; takes ownership of both descriptors, which must be non-blocking. */
  Pump(String name, Fd from, Fd to) {
    this.name = name;
    this.from = from;
    this.to = to;
    thread = Threads.start(name, this::run);
  }

  private void run() {
    try {
      Splice.all(from, to);
    } catch (IOException e) {
      Log.warn("error copying", "stream", name, "error", String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      // stopped: what the source still holds is dropped
    } finally {
      from.close();
      to.close();
      ended.countDown();
    }
  }

  /** Waits until the source has ended and all of it has been moved; false when the deadline passed first. */
  boolean awaitEnd(Deadline deadline) throws InterruptedException {
    return ended.await(deadline.nanosLeft(), TimeUnit.NANOSECONDS);
  }

  /** Ends the moving now. */
  void stop() {
    thread.interrupt();
  }
}
