package io.loomshim.bench.chart;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Unit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * One figure as lines over numbers of containers or connections, both axes logarithmic.
 *
 * @param lines medians by n, for each side
 * @param ends where a line ends because the side could not go on, marked by a cross
 */
public record LinePanel(String title, String across, Unit unit, Map<Side, Map<Integer, Double>> lines,
    Map<Side, Integer> ends) {
  static final int HEIGHT = 230;

  /** With what stands above and below the lines. */
  public static final int HEIGHT_ALL = HEIGHT + 56;

  private static final int LEFT = 58;

  /** Width of a number of four digits. */
  private static final int LABEL = 28;

  /** Where lines may stand in each power of ten: the first that gives enough of them. */
  private static final double[][] MANTISSAS = {{1}, {1, 2, 5}, {1, 1.5, 2, 3, 4, 5, 7}};

  private static final int LINES_MIN = 3;

  /** What the axes of panels that stand side by side have in common. */
  public record Axes(TreeSet<Integer> counts, double low, double high, boolean zero) {
    public static Axes of(Collection<LinePanel> panels) {
      var counts = new TreeSet<Integer>();
      boolean zero = false;
      double low = Double.MAX_VALUE;
      double high = Double.MIN_NORMAL;
      for (LinePanel panel : panels) {
        counts.addAll(panel.ends().values());
        for (Map<Integer, Double> line : panel.lines().values()) {
          counts.addAll(line.keySet());
          for (double value : line.values()) {
            zero |= value <= 0;
            low = value > 0 ? Math.min(low, value) : low;
            high = Math.max(high, value);
          }
        }
      }
      return new Axes(counts, low, high, zero);
    }
  }

  /** With axes of its own. */
  public void draw(Svg svg, double x, double top, double width) {
    draw(svg, Axes.of(List.of(this)), x, top, width);
  }

  public void draw(Svg svg, Axes axes, double x, double top, double width) {
    var counts = axes.counts();
    double bottom = top + 18 + HEIGHT;
    var across = new LogScale(counts.first(), Math.max(counts.last(), counts.first() + 1), x + LEFT,
        x + width - LABEL / 2);
    // zero has no place of its own on this axis: its foot stands for it
    var up = new LogScale(Math.min(axes.low(), axes.high()) / (axes.zero() ? 2 : 1.3), axes.high() * 1.3, bottom,
        top + 24);
    svg.text(x, top + 6, "ink head", "start", title);
    grid(svg, unit, up, x + LEFT, x + width);
    if (axes.zero()) {
      svg.text(x + LEFT - 10, bottom + 4, "dim small", "end", "0");
    }
    double last = 0;
    for (int count : counts) {
      if (across.at(count) - last > LABEL) {
        svg.text(across.at(count), bottom + 16, "dim small", "middle", Integer.toString(count));
        last = across.at(count);
      }
    }
    svg.line(x + LEFT - 6, bottom, x + width, bottom, "axis");
    svg.text(x + width, bottom + 32, "dim small", "end", this.across);
    lines.forEach((side, line) -> {
      var points = new StringBuilder();
      line.forEach((count, value) ->
          points.append(String.format(Locale.ROOT, "%.1f,%.1f ", across.at(count), up.at(value))));
      svg.path(points.toString().strip(), Svg.of(side));
      line.forEach((count, value) -> svg.dot(across.at(count), up.at(value), 3.5, Svg.of(side)));
    });
    ends.forEach((side, count) -> svg.cross(across.at(count), top + 24, 5, Svg.of(side)));
  }

  /** Lines at round numbers. */
  private static void grid(Svg svg, Unit unit, LogScale up, double left, double right) {
    for (double value : ticks(unit, up)) {
      svg.line(left - 6, up.at(value), right, up.at(value), "grid");
      svg.text(left - 10, up.at(value) + 4, "dim small", "end", unit.round(value));
    }
  }

  private static List<Double> ticks(Unit unit, LogScale up) {
    var ticks = new ArrayList<Double>();
    for (double[] mantissas : MANTISSAS) {
      ticks.clear();
      for (double power = 0.001; power <= up.high(); power *= 10) {
        for (double mantissa : mantissas) {
          double value = unit.tick(mantissa * power);
          if (up.holds(value)) {
            ticks.add(value);
          }
        }
      }
      if (ticks.size() >= LINES_MIN) {
        break;
      }
    }
    return ticks;
  }
}
