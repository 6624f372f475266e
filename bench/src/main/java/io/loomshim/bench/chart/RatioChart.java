package io.loomshim.bench.chart;

import io.loomshim.bench.figure.Side;
import java.util.List;

/** How many times as much loom takes as another side: bars to the left of 1 where it takes less. */
public final class RatioChart {
  private static final int LABEL = 300;
  private static final int VALUES = 200;
  private static final int ROW = 25;
  private static final double[] TICKS = {0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100};
  private static final String[] NAMES = {"1/100", "1/30", "1/10", "1/3", "1", "3 ×", "10 ×", "30 ×", "100 ×"};

  /**
   * One bar.
   *
   * @param ratio below 1 is better
   * @param other the same to a second side, a ring; not a number for none
   * @param loom what was measured
   * @param than the same of the side beside it
   */
  public record Row(String label, double ratio, double other, String loom, String than) {}

  private RatioChart() {}

  /** {@code than} is the name of the side beside loom, {@code key} says what the rings stand for. */
  public static String draw(String title, String subtitle, String than, String key, List<Row> rows) {
    var svg = new Svg(title, subtitle);
    double low = 0.3;
    double high = 3;
    for (Row row : rows) {
      low = Math.min(low, Math.min(row.ratio(), Double.isNaN(row.other()) ? 1 : row.other()));
      high = Math.max(high, Math.max(row.ratio(), Double.isNaN(row.other()) ? 1 : row.other()));
    }
    var scale = new LogScale(low / 1.2, high * 1.2, Svg.PAD + LABEL, Svg.WIDTH - Svg.PAD - VALUES);
    double bottom = Svg.TOP + 22 + rows.size() * ROW;
    svg.text(scale.at(1) - 10, Svg.TOP + 2, "good small", "end", "← loom takes less");
    svg.text(scale.at(1) + 10, Svg.TOP + 2, "bad small", "start", "loom takes more →");
    for (int i = 0; i < TICKS.length; i++) {
      if (scale.holds(TICKS[i])) {
        svg.line(scale.at(TICKS[i]), Svg.TOP + 12, scale.at(TICKS[i]), bottom, TICKS[i] == 1 ? "axis" : "grid");
        svg.text(scale.at(TICKS[i]), bottom + 16, "dim small", "middle", NAMES[i]);
      }
    }
    svg.text(Svg.WIDTH - Svg.PAD - VALUES / 2.0, Svg.TOP + 2, "good small", "end", Side.LOOM.title());
    svg.text(Svg.WIDTH - Svg.PAD, Svg.TOP + 2, "dim small", "end", than);
    double y = Svg.TOP + 20;
    for (Row row : rows) {
      String colour = row.ratio() <= 1 ? "good" : "bad";
      svg.text(Svg.PAD + LABEL - 12, y + 13, "ink", "end", row.label());
      double from = Math.min(scale.at(1), scale.at(row.ratio()));
      svg.bar(from, y + 2, Math.abs(scale.at(row.ratio()) - scale.at(1)), ROW - 9, colour, 85);
      if (!Double.isNaN(row.other())) {
        svg.ring(scale.at(row.other()), y + 10, 4.5, "runc-v2-group");
      }
      svg.text(Svg.WIDTH - Svg.PAD - VALUES / 2.0, y + 13, "ink", "end", row.loom());
      svg.text(Svg.WIDTH - Svg.PAD, y + 13, "dim", "end", row.than());
      y += ROW;
    }
    if (!key.isEmpty()) {
      svg.ring(Svg.PAD + 5, bottom + 34, 4.5, "runc-v2-group");
      svg.text(Svg.PAD + 18, bottom + 38, "dim small", "start", key);
    }
    return svg.end(bottom + 54);
  }
}
