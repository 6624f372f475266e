package io.loomshim.bench.figure;

import java.util.ArrayList;
import java.util.List;

/** Samples in order of size. */
public final class Spread {
  private final List<Double> sorted;

  public Spread(List<Double> values) {
    var copy = new ArrayList<>(values);
    copy.sort(Double::compare);
    sorted = List.copyOf(copy);
  }

  public boolean empty() {
    return sorted.isEmpty();
  }

  public int count() {
    return sorted.size();
  }

  /** Smallest first. */
  List<Double> sorted() {
    return sorted;
  }

  public double median() {
    return at(0.5);
  }

  /** A tenth of the samples is smaller. */
  public double low() {
    return at(0.1);
  }

  /** A tenth of the samples is greater. */
  public double high() {
    return at(0.9);
  }

  /** The sample below which this part of all lies, between two samples in proportion. */
  public double at(double part) {
    double place = part * (sorted.size() - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.size() - 1);
    return sorted.get(below) + (sorted.get(above) - sorted.get(below)) * (place - below);
  }
}
