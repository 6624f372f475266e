package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Interval;
import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Spread;
import io.loomshim.bench.figure.Unit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Where virtual threads do worse than something else. */
final class Losses {
  /** From this ratio on it is called a loss. */
  static final double LOST = 1.05;

  /** So many samples on both sides, and their intervals decide whether there is a difference at all. */
  private static final int TELLING = 5;

  private final Samples samples;

  Losses(Samples samples) {
    this.samples = samples;
  }

  /** Two sides that are compared. */
  record Pair(String title, Side virtual, Side other) {}

  static final List<Pair> PAIRS = List.of(
      new Pair("platform threads, JDK 21", Variants.of("virtual", 21), Variants.of("platform", 21)),
      new Pair("platform threads, JDK 25", Variants.of("virtual", 25), Variants.of("platform", 25)),
      new Pair("platform threads, JDK 27", Variants.of("virtual", 27), Variants.of("platform", 27)),
      new Pair("an event loop, JDK 25", Variants.of("virtual", 25), Variants.of("loop", 25)),
      new Pair(Side.GROUP.title(), Variants.of("virtual", 25), Side.GROUP),
      new Pair(Side.RUNC_V1.title(), Variants.of("virtual", 25), Side.RUNC_V1));

  /** How many times worse, at each number where it is a loss: {@code 1.20 × at 10}. */
  String of(Figure figure, Pair pair) {
    var texts = new ArrayList<String>();
    for (int n : samples.counts(figure)) {
      double worse = worse(figure, n, pair.virtual(), pair.other());
      if (worse >= LOST) {
        texts.add((Unit.number(worse) + " × at " + n).replace(' ', Unit.NO_BREAK));
      }
    }
    return String.join(", ", texts);
  }

  /** How often one is lost, of how many that were compared. */
  String count(Pair pair) {
    int lost = 0;
    int all = 0;
    for (Axis axis : LoomFigures.BY_AXIS.keySet()) {
      for (Figure figure : LoomFigures.BY_AXIS.get(axis)) {
        for (int n : samples.counts(figure)) {
          double worse = worse(figure, n, pair.virtual(), pair.other());
          all += Double.isNaN(worse) ? 0 : 1;
          lost += worse >= LOST ? 1 : 0;
        }
      }
    }
    return String.format(Locale.ROOT, "%d of %d", lost, all);
  }

  /**
   * The ratio in which {@code side} is worse than {@code than}; not a number where one was not measured, or 0; 1 where
   * both have enough samples and their intervals meet.
   */
  double worse(Figure figure, int n, Side side, Side than) {
    Spread one = samples.of(figure, n, side);
    Spread other = samples.of(figure, n, than);
    if (one.count() >= TELLING && other.count() >= TELLING && Interval.of(one).meets(Interval.of(other))) {
      return 1;
    }
    double ratio = samples.ratio(figure, n, side, than);
    return figure.better() == Figure.Better.LESS ? ratio : 1 / ratio;
  }
}
