package io.loomshim.threads;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * Ends the waiting for steps that take longer than {@link AsideThreads#WAIT_MAX}, on the virtual thread {@code aside},
 * which is there while steps come. To have a timer for each would cost more than most steps take.
 */
final class AsideWatch implements Runnable {
  private final AsideThreads threads;
  private final AtomicBoolean watched = new AtomicBoolean();

  AsideWatch(AsideThreads threads) {
    this.threads = threads;
  }

  /** To be called for each step that has been submitted. */
  void begin() {
    if (!watched.get() && watched.compareAndSet(false, true)) {
      Threads.start("aside", this);
    }
  }

  @Override
  public void run() {
    long wait = AsideThreads.WAIT_MAX.toNanos();
    do {
      LockSupport.parkNanos(wait);
      watched.set(false);
      wait = expire();
    } while (wait > 0 && watched.compareAndSet(false, true));
  }

  /** The time until the next step is to expire, 0 if there is none. */
  private long expire() {
    long now = System.nanoTime();
    long next = 0;
    for (AsideStep<?> step : threads.steps()) {
      long left = step.startNanos + AsideThreads.WAIT_MAX.toNanos() - now;
      if (left <= 0) {
        step.expire();
      } else if (next == 0 || left < next) {
        next = left;
      }
    }
    return next;
  }
}
