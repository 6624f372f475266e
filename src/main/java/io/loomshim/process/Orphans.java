package io.loomshim.process;

import io.loomshim.linux.ErrnoException;
import io.loomshim.log.Log;
import io.loomshim.metrics.Shortages;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Reaps, when they end, the processes that fall to us without being known: those of containers without a pid namespace
 * of their own, what a hook has started, what a runc that was killed has left. A zombie counts against the pids limit
 * of its container. The thread {@code orphans} waits for SIGCHLD, so it sleeps while no child ends.
 *
 * <p>How often the signal has come is a registry of the process, which gets it once for all who wait for children.
 */
public final class Orphans {
  /** Between two tries while there is no memory to wait. */
  private static final long SCARCE_PAUSE_NANOS = 100_000_000;

  /** Between two tries to be told of signals. */
  private static final long SIGNAL_PAUSE_NANOS = 1_000_000_000;

  /** What a pause before a look is made of: 10 ms with 2000 children. */
  private static final long PAUSE_NANOS_PER_CHILD = 5_000;

  /** A shorter one is not worth its timer. */
  private static final long PAUSE_NANOS_MIN = 200_000;

  private static final String SIGNAL = "signalfd";

  private static final ReentrantLock LOCK = new ReentrantLock();
  private static final Condition HEARD = LOCK.newCondition();
  private static volatile long heard; // written under LOCK

  private Orphans() {}

  /** Begins; to be called once, after {@link Self#becomeSubreaper}. Returns the thread, which ends when interrupted. */
  public static Thread reap() {
    return Threads.start("orphans", Orphans::run);
  }

  /** What the thread does. What is there already is reaped first; after that nothing ends without a signal. */
  private static void run() {
    Optional<ChildSignal> signal = Optional.empty();
    while (true) {
      try {
        if (signal.isEmpty()) {
          Children.sweep(); // whether there will be signals or not
          hear();
          signal = Optional.of(ChildSignal.take());
          Shortages.end(SIGNAL);
        }
        look(signal.get());
        signal.get().await();
        hear();
      } catch (ErrnoException e) {
        Shortages.begin(SIGNAL, "looking for ended orphans every second", e);
        LockSupport.parkNanos(SIGNAL_PAUSE_NANOS);
      } catch (InterruptedException e) {
        return;
      } catch (IOException | OutOfMemoryError e) {
        Log.warn("failed to reap orphans", "error", e.toString());
        LockSupport.parkNanos(SCARCE_PAUSE_NANOS);
      }
    }
  }

  /**
   * Reaps those that nobody else does. Most of what ends has an owner, who reaps it as soon as the thread runs. A look
   * takes the longer the more children there are, so the more time they are given first.
   */
  private static void look(ChildSignal signal) throws ErrnoException {
    long pause = Children.claimed() * PAUSE_NANOS_PER_CHILD;
    settle(pause, signal);
    if (!Children.sweepFirst()) {
      settle(pause, signal);
      Children.sweep();
    }
  }

  private static void settle(long pause, ChildSignal signal) throws ErrnoException {
    if (pause >= PAUSE_NANOS_MIN) {
      LockSupport.parkNanos(pause);
      if (signal.again()) {
        hear(); // before the look, which is for that too
      }
    }
  }

  private static void hear() {
    LOCK.lock();
    try {
      heard++;
      HEARD.signalAll();
    } finally {
      LOCK.unlock();
    }
  }

  /** How often a signal has come. */
  static long heard() {
    return heard;
  }

  /** Waits for the next signal after the first {@code before}, or for {@code limit}. */
  static void awaitSignal(long before, Duration limit) throws InterruptedException {
    LOCK.lock();
    try {
      long left = limit.toNanos();
      while (heard == before && left > 0) {
        left = HEARD.awaitNanos(left);
      }
    } finally {
      LOCK.unlock();
    }
  }
}
