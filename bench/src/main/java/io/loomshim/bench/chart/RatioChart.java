package io.loomshim.bench.chart;

import io.loomshim.bench.figure.Side;
import java.util.ArrayList;
import java.util.List;

/**
 * How many times as much loom takes as another side: bars to the left of 1 where it takes less. Labels stand above
 * their bars and texts are large, so that it can be read at half its width.
 */
public final class RatioChart {
  private static final int VALUE = 120;
  private static final int BAR = 16;
  private static final int GAP = 16;

  /** From a line of text to the next. */
  private static final int LINE = 26;

  /** What the name of the first or last mark takes beyond its end of the axis. */
  private static final int INSET = 50;

  private static final int LABEL_CHARACTERS_MAX = 44;
  private static final int LINE_CHARACTERS_MAX = 70;

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
    var svg = Svg.bare();
    svg.text(Svg.PAD, Svg.PAD + 24, "ink huge", "start", title);
    double top = paragraph(svg, Svg.PAD + 56, subtitle) + 8;
    var ratios = new ArrayList<Double>();
    double bottom = top + 22;
    for (Row row : rows) {
      ratios.add(row.ratio());
      ratios.add(row.other());
      bottom += height(row);
    }
    RatioAxis axis = RatioAxis.of(ratios, Svg.PAD + INSET, Svg.WIDTH - Svg.PAD - INSET, Svg.LARGE);
    LogScale scale = axis.scale();
    // grid lines first: all else is drawn upon them
    for (RatioAxis.Mark mark : axis.marks()) {
      double x = scale.at(mark.ratio());
      svg.line(x, top + 12, x, bottom, mark.ratio() == 1 ? "axis" : "grid");
      if (!mark.name().isEmpty()) {
        svg.text(x, bottom + LINE, "dim large", "middle", mark.name());
      }
    }
    svg.text(Svg.PAD, top + 2, "good large", "start", "← loom takes less");
    svg.text(Svg.PAD + 200, top + 2, "bad large", "start", "more →");
    svg.text(Svg.WIDTH - Svg.PAD - VALUE, top + 2, "good large", "end", Side.LOOM.title());
    svg.text(Svg.WIDTH - Svg.PAD, top + 2, "dim large", "end", than);
    double y = top + 22;
    for (Row row : rows) {
      draw(svg, scale, row, y);
      y += height(row);
    }
    double end = bottom + LINE + 12;
    if (!key.isEmpty()) {
      svg.ring(Svg.PAD + 8, end + 20, 7, "runc-v2-group");
      svg.text(Svg.PAD + 26, end + 26, "dim large", "start", key);
      end += 40;
    }
    return svg.end(end);
  }

  private static double paragraph(Svg svg, double top, String text) {
    double y = top;
    for (String line : lines(text, LINE_CHARACTERS_MAX)) {
      svg.text(Svg.PAD, y, "dim large", "start", line);
      y += LINE;
    }
    return y;
  }

  private static void draw(Svg svg, LogScale scale, Row row, double top) {
    double y = top + 22;
    for (String line : lines(row.label(), LABEL_CHARACTERS_MAX)) {
      svg.text(Svg.PAD, y, "ink large", "start", line);
      y += LINE;
    }
    svg.text(Svg.WIDTH - Svg.PAD - VALUE, y - LINE, "ink large", "end", row.loom());
    svg.text(Svg.WIDTH - Svg.PAD, y - LINE, "dim large", "end", row.than());
    double middle = y - LINE + 8 + BAR / 2.0;
    double from = Math.min(scale.at(1), scale.at(row.ratio()));
    svg.bar(from, middle - BAR / 2.0, Math.abs(scale.at(row.ratio()) - scale.at(1)), BAR,
        row.ratio() <= 1 ? "good" : "bad", 85);
    if (!Double.isNaN(row.other())) {
      svg.ring(scale.at(row.other()), middle, 7, "runc-v2-group");
    }
  }

  private static double height(Row row) {
    return lines(row.label(), LABEL_CHARACTERS_MAX).size() * LINE + BAR + GAP;
  }

  /** A text in as many lines as it needs, broken at blanks. */
  private static List<String> lines(String text, int charactersMax) {
    var lines = new ArrayList<String>();
    String line = "";
    for (String word : text.split(" ")) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > charactersMax) {
        lines.add(line);
        line = "";
      }
      line += (line.isEmpty() ? "" : " ") + word;
    }
    lines.add(line);
    return lines;
  }
}
