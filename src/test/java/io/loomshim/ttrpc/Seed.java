package io.loomshim.ttrpc;

/** Seeds of random tests: {@code -Dseed=N} replays one. */
final class Seed {
  private Seed() {}

  static long of(String test) {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println(test + ": -Dseed=" + seed);
    return seed;
  }
}
