import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/** Panels of lines over numbers of containers or connections, both axes logarithmic. */
final class LineChart {
  private static final int COLUMNS = 2;
  private static final int GAP = 40;
  private static final int LEFT = 58;
  private static final int HEIGHT = 230;

  /**
   * One figure.
   *
   * @param lines medians by n, for each side
   */
  record Panel(String title, String across, Unit unit, Map<Side, Map<Integer, Double>> lines) {}

  private LineChart() {}

  static String draw(String title, String subtitle, List<Side> sides, List<Panel> panels) {
    var svg = new Svg(title, subtitle);
    svg.key(Svg.PAD, Svg.TOP + 8, sides);
    double width = (Svg.WIDTH - 2 * Svg.PAD - (COLUMNS - 1) * GAP) / (double) COLUMNS;
    double y = Svg.TOP + 34;
    for (int i = 0; i < panels.size(); i++) {
      panel(svg, panels.get(i), Svg.PAD + i % COLUMNS * (width + GAP), y, width);
      if (i % COLUMNS == COLUMNS - 1 || i == panels.size() - 1) {
        y += HEIGHT + 66;
      }
    }
    return svg.end(y - 8);
  }

  private static void panel(Svg svg, Panel panel, double x, double top, double width) {
    var counts = new TreeSet<Integer>();
    boolean zero = false;
    double low = Double.MAX_VALUE;
    double high = Double.MIN_NORMAL;
    for (Map<Integer, Double> line : panel.lines().values()) {
      counts.addAll(line.keySet());
      for (double value : line.values()) {
        zero |= value <= 0;
        low = value > 0 ? Math.min(low, value) : low;
        high = Math.max(high, value);
      }
    }
    double bottom = top + 18 + HEIGHT;
    var across = new LogScale(counts.first(), Math.max(counts.last(), counts.first() + 1), x + LEFT, x + width - 10);
    // zero has no place of its own on this axis: its foot stands for it
    var up = new LogScale(Math.min(low, high) / (zero ? 2 : 1.3), high * 1.3, bottom, top + 24);
    svg.text(x, top + 6, "ink head", "start", panel.title());
    grid(svg, panel.unit(), up, x + LEFT, x + width);
    if (zero) {
      svg.text(x + LEFT - 10, bottom + 4, "dim small", "end", "0");
    }
    double last = 0;
    for (int count : counts) {
      if (across.at(count) - last > 28) {
        svg.text(across.at(count), bottom + 16, "dim small", "middle", Integer.toString(count));
        last = across.at(count);
      }
    }
    svg.line(x + LEFT - 6, bottom, x + width, bottom, "axis");
    svg.text(x + width, bottom + 32, "dim small", "end", panel.across());
    panel.lines().forEach((side, line) -> {
      var points = new StringBuilder();
      line.forEach((count, value) ->
          points.append(String.format(Locale.ROOT, "%.1f,%.1f ", across.at(count), up.at(value))));
      svg.path(points.toString().strip(), Svg.of(side));
      line.forEach((count, value) -> svg.dot(across.at(count), up.at(value), 3.5, Svg.of(side)));
    });
  }

  /** Lines at round numbers: every power of ten, and 2 and 5 between when there are few. */
  private static void grid(Svg svg, Unit unit, LogScale up, double left, double right) {
    boolean few = up.high() / up.low() < 30;
    for (double power = 0.001; power <= up.high(); power *= 10) {
      for (double value : few ? new double[] {power, 2 * power, 5 * power} : new double[] {power}) {
        if (up.holds(value)) {
          svg.line(left - 6, up.at(value), right, up.at(value), "grid");
          svg.text(left - 10, up.at(value) + 4, "dim small", "end", unit.round(value));
        }
      }
    }
  }
}
