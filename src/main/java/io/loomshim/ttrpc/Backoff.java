package io.loomshim.ttrpc;

import java.util.random.RandomGenerator;

/**
 * How long to wait after a failed accept, usually because no file descriptor is left. The time is random, below a bound
 * that doubles from 1 ms to 1 s with each failure in a row. Used by one thread; no lock.
 */
final class Backoff {
  /** First bound: too short to be noticed. */
  static final long FIRST_MILLIS = 1;

  /** Last bound: containerd dials for longer than this. */
  static final long LAST_MILLIS = 1000;

  private final RandomGenerator random;
  private long bound;

  Backoff(RandomGenerator random) {
    this.random = random;
  }

  /** Returns the milliseconds to wait, at least 1, after one more failure. */
  long failed() {
    bound = bound == 0 ? FIRST_MILLIS : Math.min(bound * 2, LAST_MILLIS);
    return 1 + random.nextLong(bound);
  }

  /** Resets the bound. */
  void succeeded() {
    bound = 0;
  }
}
