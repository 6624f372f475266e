package io.loomshim.event;

import java.time.Duration;

/**
 * The pauses between attempts of one outage: one step, two, three … up to {@link #STEPS_MAX} steps, and so on until
 * containerd is back. Used by the outbox's thread only.
 */
final class Backoff {
  /** The first pause and what each further one is longer: about what a restart of containerd takes. */
  static final Duration STEP = Duration.ofSeconds(1);
  /** Steps of the longest pause: nobody should wait longer than 5 s for news once containerd is back. */
  static final int STEPS_MAX = 5;

  private final Duration step;
  private int failures;

  Backoff(Duration step) {
    this.step = step;
  }

  /** One more failure in a row; returns how long to pause after it. */
  Duration failed() {
    failures++;
    return step.multipliedBy(Math.min(failures, STEPS_MAX));
  }

  /** How many failures there were since the last success. */
  int failures() {
    return failures;
  }

  void succeeded() {
    failures = 0;
  }
}
