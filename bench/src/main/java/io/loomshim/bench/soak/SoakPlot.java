package io.loomshim.bench.soak;

import io.loomshim.bench.chart.Svg;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Unit;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * The plot of a {@link Soak}: what must be flat, over the cycles. Both axes begin at zero and are linear, so that what
 * grows with the cycles is a slope, however little it is.
 */
final class SoakPlot {
  private static final int COLUMNS = 2;
  private static final int GAP = 40;
  private static final int LEFT = 58;
  private static final int HEIGHT = 110;

  /** With the heading above and the numbers below. */
  private static final int HEIGHT_ALL = HEIGHT + 72;

  /** Half the width of the number below the last mark, which is in the middle of it. */
  private static final int RIGHT = 20;

  /** Marks on the axis of cycles, besides zero. */
  private static final int MARKS = 4;

  /** One figure. */
  private record Panel(String title, Unit unit, ToDoubleFunction<SoakSample> value) {}

  private static final List<Panel> PANELS = List.of(
      new Panel("Open files", Unit.COUNT, SoakSample::files),
      new Panel("OS threads", Unit.COUNT, SoakSample::threads),
      new Panel("Heap after a full collection", Unit.MB, SoakSample::heapMb),
      new Panel("Resident memory (RSS)", Unit.MB, SoakSample::rssMb),
      new Panel("Mounts of containers", Unit.COUNT, SoakSample::mounts),
      new Panel("Zombies", Unit.COUNT, SoakSample::zombies));

  private SoakPlot() {}

  static String draw(String what, List<SoakSample> samples) {
    var svg = new Svg("One daemon under load for long", what);
    double width = (Svg.WIDTH - 2 * Svg.PAD - (COLUMNS - 1) * GAP) / (double) COLUMNS;
    for (int i = 0; i < PANELS.size(); i++) {
      panel(svg, PANELS.get(i), samples, Svg.PAD + i % COLUMNS * (width + GAP),
          Svg.TOP + i / COLUMNS * HEIGHT_ALL, width);
    }
    return svg.end(Svg.TOP + Math.ceilDiv(PANELS.size(), COLUMNS) * HEIGHT_ALL);
  }

  private static void panel(Svg svg, Panel panel, List<SoakSample> samples, double x, double top, double width) {
    double bottom = top + 18 + HEIGHT;
    double left = x + LEFT;
    double right = x + width - RIGHT;
    int cycles = Math.max(1, samples.getLast().cycles());
    double least = samples.stream().mapToDouble(panel.value()).min().orElse(0);
    double most = samples.stream().mapToDouble(panel.value()).max().orElse(0);
    double high = Math.max(1, most * 1.25);
    svg.text(x, top + 6, "ink head", "start", panel.title());
    for (double value : most > 0 ? new double[] {0, most} : new double[] {0}) {
      double y = bottom - HEIGHT * value / high;
      svg.line(left - 6, y, right, y, value > 0 ? "grid" : "axis");
      svg.text(left - 10, y + 4, "dim small", "end", panel.unit().text(value));
    }
    for (int i = 0; i <= MARKS; i++) {
      svg.text(left + (right - left) * i / MARKS, bottom + 16, "dim small", "middle",
          Integer.toString(cycles * i / MARKS));
    }
    svg.text(right, bottom + 32, "dim small", "end",
        "create-to-delete cycles; least " + panel.unit().text(least) + ", most " + panel.unit().text(most));
    var points = new StringBuilder();
    for (SoakSample sample : samples) {
      points.append(String.format(Locale.ROOT, "%.1f,%.1f ", left + (right - left) * sample.cycles() / cycles,
          bottom - HEIGHT * panel.value().applyAsDouble(sample) / high));
    }
    svg.path(points.toString().strip(), Svg.of(Side.LOOM));
  }
}
