package io.loomshim.bench.chart;

/** Places positive numbers on a line so that equal ratios have equal distances. */
record LogScale(double low, double high, double from, double to) {
  double at(double value) {
    double clipped = Math.max(low, Math.min(high, value));
    return from + (to - from) * Math.log(clipped / low) / Math.log(high / low);
  }

  boolean holds(double value) {
    return value >= low && value <= high;
  }
}
