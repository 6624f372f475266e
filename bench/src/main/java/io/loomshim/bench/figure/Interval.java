package io.loomshim.bench.figure;

import java.util.List;

/**
 * Where the median lies of what the samples were drawn from, told without any assumption about how they are spread:
 * between two of the samples in order. The median lies below the k-th smallest of n, or above the k-th greatest, when
 * fewer than k of n tosses of a coin are heads. With six samples the smallest and the greatest are a 97 % interval.
 *
 * @param confidence how often such an interval holds the median, 0 to 1
 */
public record Interval(double low, double high, double confidence) {
  private static final double WANTED = 0.95;

  /** The narrowest of 95 % or more; with fewer than six samples the widest that there is. */
  public static Interval of(Spread spread) {
    List<Double> sorted = spread.sorted();
    int n = sorted.size();
    int out = 0;
    while (out + 1 < (n + 1) / 2 && confidence(n, out + 1) >= WANTED) {
      out++;
    }
    return new Interval(sorted.get(out), sorted.get(n - 1 - out), confidence(n, out));
  }

  /** Of the interval that leaves {@code out} samples out on each side. */
  private static double confidence(int n, int out) {
    double outside = 0;
    double ways = 1;
    for (int heads = 0; heads <= out; heads++) {
      outside += ways;
      ways = ways * (n - heads) / (heads + 1);
    }
    return Math.max(0, 1 - 2 * outside * Math.pow(0.5, n));
  }

  /** Whether the two have a value in common: then nothing is said about which is greater. */
  public boolean meets(Interval other) {
    return low <= other.high && other.low <= high;
  }
}
