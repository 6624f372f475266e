package io.loomshim.event;

import java.time.Duration;

/**
 * The pauses between the attempts of one outage: one step, two, three and so on up to {@link #STEPS_MAX}, which then
 * repeats until containerd is back. Used only by the thread of the outbox.
 */
final class Backoff {
  /** The first pause, and the growth of each further one; about the time of a restart of containerd. */
  static final Duration STEP = Duration.ofSeconds(1);
  /** Steps of the longest pause: events reach containerd within 5 s after it is back. */
  static final int STEPS_MAX = 5;

  private final Duration step;
  private int failures;

  Backoff(Duration step) {
    this.step = step;
  }

  /** Counts one more failure in a row, and returns how long to pause. */
  Duration failed() {
    failures++;
    return step.multipliedBy(Math.min(failures, STEPS_MAX));
  }

  /** Failures since the last success. */
  int failures() {
    return failures;
  }

  void succeeded() {
    failures = 0;
  }
}
