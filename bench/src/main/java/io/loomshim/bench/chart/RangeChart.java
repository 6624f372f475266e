package io.loomshim.bench.chart;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Spread;
import io.loomshim.bench.figure.Unit;
import java.util.List;

/** Small panels side by side, each with one bar a side up to the median, and a line from p10 to p90. */
public final class RangeChart {
  private static final int COLUMNS = 2;
  private static final int GAP = 30;
  private static final int LABEL = 138;
  private static final int VALUE = 62;
  private static final int ROW = 19;
  private static final int HEAD = 26;

  /** The samples of one side. */
  public record Bar(Side side, Spread spread) {}

  /** One figure. */
  public record Panel(String title, Unit unit, List<Bar> bars) {}

  private RangeChart() {}

  public static String draw(String title, String subtitle, List<Panel> panels) {
    var svg = new Svg(title, subtitle);
    double width = (Svg.WIDTH - 2 * Svg.PAD - (COLUMNS - 1) * GAP) / (double) COLUMNS;
    double y = Svg.TOP;
    for (int first = 0; first < panels.size(); first += COLUMNS) {
      int rows = 0;
      for (int i = first; i < Math.min(panels.size(), first + COLUMNS); i++) {
        panel(svg, panels.get(i), Svg.PAD + (i - first) * (width + GAP), y, width);
        rows = Math.max(rows, panels.get(i).bars().size());
      }
      y += HEAD + rows * ROW + 18;
    }
    return svg.end(y + 4);
  }

  private static void panel(Svg svg, Panel panel, double x, double top, double width) {
    svg.text(x, top + 10, "ink head", "start", panel.title());
    double max = 0;
    for (Bar bar : panel.bars()) {
      max = Math.max(max, bar.spread().count() > 2 ? bar.spread().high() : bar.spread().median());
    }
    double left = x + LABEL;
    double scale = max > 0 ? (width - LABEL - VALUE) / max : 0;
    double y = top + HEAD - 6;
    for (Bar bar : panel.bars()) {
      Spread spread = bar.spread();
      String colour = Svg.of(bar.side());
      svg.text(left - 8, y + 12, "dim", "end", bar.side().title());
      svg.bar(left, y + 2, spread.median() * scale, ROW - 7, colour, 80);
      double end = left + spread.median() * scale;
      if (spread.count() > 2) {
        end = Math.max(end, left + spread.high() * scale);
        svg.line(left + spread.low() * scale, y + ROW / 2.0 - 1.5, left + spread.high() * scale, y + ROW / 2.0 - 1.5,
            "axis whisker");
      }
      svg.text(end + 6, y + 12, "ink", "start", panel.unit().text(spread.median()));
      y += ROW;
    }
    svg.line(left, top + HEAD - 6, left, y, "axis");
  }
}
