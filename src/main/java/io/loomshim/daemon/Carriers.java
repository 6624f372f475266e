package io.loomshim.daemon;

import io.loomshim.linux.ProcessCalls;
import io.loomshim.threads.Threads;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Keeps the carriers of virtual threads. The JVM ends them when none has had anything to do for 30 s, and makes new
 * ones for the next virtual thread that wakes. If it cannot, as there are no processes left on the machine, it fails in
 * the thread that wakes the other; the threads that watch the JDK's sockets do not survive that, and then no call is
 * served ever again. So all carriers are made at the start, and the thread {@code carriers} holds one more for ever, in
 * a call that never returns: while one carrier is at work the JVM ends none.
 */
public final class Carriers {
  /** Of the JVM: how many carriers there are, not counting those that stand in for one that is held. */
  private static final String PARALLELISM = "jdk.virtualThreadScheduler.parallelism";

  /** Of the JVM: the most carriers, those included that stand in for others. */
  private static final String POOL = "jdk.virtualThreadScheduler.maxPoolSize";

  /** How long the making of carriers may take. */
  private static final long MAKE_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(200);

  /** Between two looks whether all carriers are there. */
  private static final int MEET_MICROS = 200;

  private Carriers() {}

  /** Makes room for one carrier more than there are processors, or than the user wants; before the first of them. */
  public static void reserve() {
    int wanted = Integer.getInteger(PARALLELISM, Runtime.getRuntime().availableProcessors());
    System.setProperty(PARALLELISM, Integer.toString(wanted + 1));
    int most = Integer.getInteger(POOL, 0);
    if (most > 0) {
      System.setProperty(POOL, Integer.toString(most + 1));
    }
  }

  /** Makes all carriers, and keeps them from now on. */
  static void keep() {
    int count = Integer.getInteger(PARALLELISM, 1);
    var begun = new AtomicInteger();
    long end = System.nanoTime() + MAKE_NANOS_MAX;
    Threads.start("carriers", () -> hold(begun, count, end));
    for (int i = 1; i < count; i++) {
      Threads.start("carrier", () -> meet(begun, count, end));
    }
  }

  /** pause(2): signals that are for the JVM end it, nothing else does. */
  private static void hold(AtomicInteger begun, int count, long end) {
    meet(begun, count, end);
    while (true) {
      ProcessCalls.pause();
    }
  }

  /** Holds the carrier until each of the others has one. */
  private static void meet(AtomicInteger begun, int count, long end) {
    begun.incrementAndGet();
    while (begun.get() < count && System.nanoTime() < end) {
      ProcessCalls.sleep(MEET_MICROS);
    }
  }
}
