package io.loomshim.bench.loom;

/**
 * The time that one side has, so that those after it have as much.
 *
 * @param end of it, as System.nanoTime() tells it
 */
record Share(long end) {
  /** What ending a container takes, in parts of what starting it takes. */
  private static final double ENDING = 0.4;

  /** An equal part of what is left until {@code end}, for the first of {@code sides} that have not begun. */
  static Share of(long end, int sides) {
    long now = System.nanoTime();
    return new Share(now + (end - now) / sides);
  }

  /**
   * Why the time is too short to start {@code more} containers and then to end {@code count}, or nothing.
   *
   * @param secondsEach what starting one takes
   */
  String against(int count, int more, double secondsEach) {
    double needs = secondsEach * (more + ENDING * count);
    double left = (end - System.nanoTime()) / 1e9;
    return needs <= left ? "" : "needs %.0f s more of %.0f".formatted(needs, Math.max(0, left));
  }
}
