package io.loomshim.integration;

import java.util.Random;

/** Random input that can be had again: {@code -Dloomshim.seed=N} replays what a run has printed. */
final class Seeded {
  private Seeded() {}

  static Random random(String test) {
    long seed = Long.getLong("loomshim.seed", System.nanoTime());
    System.out.println(test + ": -Dloomshim.seed=" + seed);
    return new Random(seed);
  }
}
