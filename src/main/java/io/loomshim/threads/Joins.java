package io.loomshim.threads;

import java.time.Duration;

/** Waiting for threads in clean-up code. Stateless. */
public final class Joins {
  private Joins() {}

  /** Waits at most {@code limit} for {@code thread} to end; an interrupt is kept for later. False at the limit. */
  public static boolean join(Thread thread, Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    boolean interrupted = false;
    boolean ended = false;
    while (true) {
      long left = end - System.nanoTime();
      try {
        ended = thread.join(Duration.ofNanos(Math.max(0, left)));
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return ended;
  }
}
