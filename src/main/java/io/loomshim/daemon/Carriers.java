package io.loomshim.daemon;

import io.loomshim.linux.ProcessCalls;
import io.loomshim.threads.Threads;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Keeps the carriers of virtual threads. The JVM ends them when none has had anything to do for 30 s, and makes new
 * ones for the next virtual thread that wakes. If it cannot, as there are no processes left on the machine, it fails in
 * the thread that wakes the other. So all carriers are made at the start, and the thread {@code carriers} sees to it
 * that none ends.
 *
 * <p>From JDK 25 on it holds one carrier more for ever, in a call that never returns: while one is at work the JVM ends
 * none. Up to JDK 24 it must not: a carrier that goes to sleep there looks for what has come meanwhile only when no
 * other is at work (ForkJoinPool.awaitWork), and trusts that those at work will look. With one that never does, a
 * virtual thread that wakes in that moment never runs, nor does any other after it: seen with 21.0.13, after some
 * thousand wakes. So there it does something every 20 s.
 */
public final class Carriers {
  /** Of the JVM: how many carriers there are, not counting those that stand in for one that is held. */
  private static final String PARALLELISM = "jdk.virtualThreadScheduler.parallelism";

  /** Of the JVM: the most carriers, those included that stand in for others. */
  private static final String POOL = "jdk.virtualThreadScheduler.maxPoolSize";

  /** The first release whose carriers look again whoever is at work: see above. */
  private static final int HELD_FROM = 25;

  private static final boolean HELD = Runtime.version().feature() >= HELD_FROM;

  /** Between two times that there is something to do; the JVM waits for 30 s. */
  private static final long STIR_NANOS = TimeUnit.SECONDS.toNanos(20);

  /** How long the making of carriers may take. */
  private static final long MAKE_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(200);

  /** Between two looks whether all carriers are there. */
  private static final int MEET_MICROS = 200;

  private Carriers() {}

  /**
   * Makes room for as many carriers as there are processors, or as the user wants, and for the one that is held; before
   * the first of them.
   */
  public static void reserve() {
    int held = HELD ? 1 : 0;
    int wanted = Integer.getInteger(PARALLELISM, Runtime.getRuntime().availableProcessors());
    System.setProperty(PARALLELISM, Integer.toString(wanted + held));
    int most = Integer.getInteger(POOL, 0);
    if (most > 0) {
      System.setProperty(POOL, Integer.toString(most + held));
    }
  }

  /** Makes all carriers, and keeps them from now on. */
  static void keep() {
    int count = Integer.getInteger(PARALLELISM, 1);
    var begun = new AtomicInteger();
    long end = System.nanoTime() + MAKE_NANOS_MAX;
    Threads.start("carriers", () -> keep(begun, count, end));
    for (int i = 1; i < count; i++) {
      Threads.start("carrier", () -> meet(begun, count, end));
    }
  }

  private static void keep(AtomicInteger begun, int count, long end) {
    meet(begun, count, end);
    while (true) {
      if (HELD) {
        ProcessCalls.pause(); // signals that are for the JVM end it, nothing else does
      } else {
        LockSupport.parkNanos(STIR_NANOS);
      }
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
