package io.loomshim.ttrpc;

import io.loomshim.threads.Threads;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A platform thread for one connection at a time that is busy with calls which need not wait. A virtual thread that
 * waits for the next request is woken by the JDK's poller, which itself was woken by the kernel; this thread is woken
 * by the kernel alone. A connection keeps it until a request comes after a pause or may have to wait, or until another
 * connection is busy too: then the carriers do not sleep, and one more thread would only take turns with them.
 *
 * <p>A registry of the process, as there is one such thread, which ends with its work. May be used from any thread.
 */
final class Lane {
  /** Calls in a row after which a connection counts as busy. */
  static final int CALLS_MIN = 64;

  /** A longer pause between two calls ends the row: then one wake-up more does not matter. */
  static final long PAUSE_NANOS_MAX = 10_000_000;

  private static final AtomicBoolean TAKEN = new AtomicBoolean();

  /** The number of the busy connection that asked last, and since when it has been the only one that asks. */
  private static final AtomicLong LAST = new AtomicLong();
  private static final AtomicLong SINCE_NANOS = new AtomicLong();

  private Lane() {}

  /**
   * Whether no other connection has been busy for a while. To be asked for each request of a busy one; when two ask at
   * once one of them may not be noticed until it asks again.
   *
   * @param connection its number
   * @param nanos when the request came, as {@link System#nanoTime} has it
   */
  static boolean alone(long connection, long nanos) {
    if (LAST.get() != connection) {
      LAST.set(connection);
      SINCE_NANOS.set(nanos);
    }
    return nanos - SINCE_NANOS.get() > PAUSE_NANOS_MAX;
  }

  /** Runs {@code task} on the thread, called {@code name}; false when another connection has it. */
  static boolean start(String name, Runnable task) {
    if (TAKEN.get() || !Thread.currentThread().isVirtual() || !TAKEN.compareAndSet(false, true)) {
      return false;
    }
    boolean started = false;
    try {
      Threads.startPlatform(name, task);
      started = true;
      return true;
    } catch (OutOfMemoryError e) {
      return false; // there is no process left on the machine for it
    } finally {
      if (!started) {
        TAKEN.set(false);
      }
    }
  }

  /** The thread ends. */
  static void end() {
    TAKEN.set(false);
  }
}
