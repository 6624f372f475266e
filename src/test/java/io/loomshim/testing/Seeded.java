package io.loomshim.testing;

import java.util.Random;

/** Random input that can be had again: {@code -Dloomshim.seed=N} replays what a run has printed. */
public final class Seeded {
  private Seeded() {}

  /** The seed for {@code test}. */
  public static long seed(String test) {
    long seed = Long.getLong("loomshim.seed", System.nanoTime());
    System.out.println(test + ": -Dloomshim.seed=" + seed);
    return seed;
  }

  public static Random random(String test) {
    return new Random(seed(test));
  }
}
