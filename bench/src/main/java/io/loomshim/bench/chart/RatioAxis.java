package io.loomshim.bench.chart;

import java.util.ArrayList;
import java.util.List;

/**
 * Ratios on a logarithmic axis that begins and ends at a mark: at 1, 3, 10, 30 and so on, and at the inverse of these;
 * at powers of ten only where the others have no room.
 */
record RatioAxis(LogScale scale, List<Mark> marks) {
  /** One mark; {@code name} is empty where there is no room for it. */
  record Mark(double ratio, String name) {}

  /** Between two names. */
  private static final int GAP = 5;

  /**
   * From {@code from} to {@code to}, with room for all {@code ratios} that are numbers, and for 1/3 to 3. Names are of
   * {@code pixels}.
   */
  static RatioAxis of(List<Double> ratios, double from, double to, int pixels) {
    int first = -1;
    int last = 1;
    for (double ratio : ratios) {
      if (ratio > 0 && ratio < Double.POSITIVE_INFINITY) {
        while (ratio(first) > ratio) {
          first--;
        }
        while (ratio(last) < ratio) {
          last++;
        }
      }
    }
    int step = 1;
    int named = 1;
    if (!roomy(first, last, 1, to - from, pixels)) {
      step = 2;
      first = -2 * Math.ceilDiv(-first, 2);
      last = 2 * Math.ceilDiv(last, 2);
      for (named = 2; !roomy(first, last, named, to - from, pixels); named += 2) {}
    }
    var marks = new ArrayList<Mark>();
    for (int i = first; i <= last; i += step) {
      marks.add(new Mark(ratio(i), i % named == 0 ? name(i) : ""));
    }
    return new RatioAxis(new LogScale(ratio(first), ratio(last), from, to), marks);
  }

  /** Whether the names of every {@code named}th mark, 1 among them, do not touch. */
  private static boolean roomy(int first, int last, int named, double width, int pixels) {
    double distance = width * named / (last - first);
    for (int i = -(-first / named) * named; i + named <= last; i += named) {
      int characters = name(i).length() + name(i + named).length();
      if (Svg.width(characters, pixels) / 2 + GAP > distance) {
        return false;
      }
    }
    return true;
  }

  private static double ratio(int mark) {
    double power = Math.pow(10, Math.abs(mark) / 2) * (mark % 2 == 0 ? 1 : 3);
    return mark < 0 ? 1 / power : power;
  }

  private static String name(int mark) {
    String number = Long.toString(Math.round(ratio(Math.abs(mark))));
    return mark < 0 ? "1/" + number : mark == 0 ? "1" : number + " ×";
  }
}
