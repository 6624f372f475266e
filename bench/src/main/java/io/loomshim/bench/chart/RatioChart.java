package io.loomshim.bench.chart;

import io.loomshim.bench.figure.Side;
import java.util.ArrayList;
import java.util.List;

/** How many times as much loom takes as another side: bars to the left of 1 where it takes less. */
public final class RatioChart {
  private static final int LABEL = 300;
  private static final int VALUES = 200;
  private static final int ROW = 25;

  /** From a line of a label to the next. */
  private static final int LINE = 14;

  private static final int LABEL_CHARACTERS_MAX = 42;

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
    var ratios = new ArrayList<Double>();
    double bottom = Svg.TOP + 22;
    for (Row row : rows) {
      ratios.add(row.ratio());
      ratios.add(row.other());
      bottom += height(row);
    }
    RatioAxis axis = RatioAxis.of(ratios, Svg.PAD + LABEL, Svg.WIDTH - Svg.PAD - VALUES);
    LogScale scale = axis.scale();
    svg.text(scale.at(1) - 10, Svg.TOP + 2, "good small", "end", "← loom takes less");
    svg.text(scale.at(1) + 10, Svg.TOP + 2, "bad small", "start", "more →");
    for (RatioAxis.Mark mark : axis.marks()) {
      double x = scale.at(mark.ratio());
      svg.line(x, Svg.TOP + 12, x, bottom, mark.ratio() == 1 ? "axis" : "grid");
      if (!mark.name().isEmpty()) {
        svg.text(x, bottom + 16, "dim small", "middle", mark.name());
      }
    }
    svg.text(Svg.WIDTH - Svg.PAD - VALUES / 2.0, Svg.TOP + 2, "good small", "end", Side.LOOM.title());
    svg.text(Svg.WIDTH - Svg.PAD, Svg.TOP + 2, "dim small", "end", than);
    double y = Svg.TOP + 20;
    for (Row row : rows) {
      draw(svg, scale, row, y);
      y += height(row);
    }
    if (!key.isEmpty()) {
      svg.ring(Svg.PAD + 5, bottom + 34, 4.5, "runc-v2-group");
      svg.text(Svg.PAD + 18, bottom + 38, "dim small", "start", key);
    }
    return svg.end(bottom + 54);
  }

  private static void draw(Svg svg, LogScale scale, Row row, double top) {
    List<String> label = lines(row.label());
    for (int i = 0; i < label.size(); i++) {
      svg.text(Svg.PAD + LABEL - 12, top + 13 + i * LINE, "ink", "end", label.get(i));
    }
    double y = top + (label.size() - 1) * LINE / 2.0;
    double from = Math.min(scale.at(1), scale.at(row.ratio()));
    svg.bar(from, y + 2, Math.abs(scale.at(row.ratio()) - scale.at(1)), ROW - 9, row.ratio() <= 1 ? "good" : "bad", 85);
    if (!Double.isNaN(row.other())) {
      svg.ring(scale.at(row.other()), y + 10, 4.5, "runc-v2-group");
    }
    svg.text(Svg.WIDTH - Svg.PAD - VALUES / 2.0, y + 13, "ink", "end", row.loom());
    svg.text(Svg.WIDTH - Svg.PAD, y + 13, "dim", "end", row.than());
  }

  private static double height(Row row) {
    return ROW + (lines(row.label()).size() - 1) * LINE;
  }

  /** A label in as many lines as it needs, broken at blanks. */
  private static List<String> lines(String label) {
    var lines = new ArrayList<String>();
    String line = "";
    for (String word : label.split(" ")) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > LABEL_CHARACTERS_MAX) {
        lines.add(line);
        line = "";
      }
      line += (line.isEmpty() ? "" : " ") + word;
    }
    lines.add(line);
    return lines;
  }
}
