package io.loomshim.bench.report;

import io.loomshim.bench.chart.LineChart;
import io.loomshim.bench.chart.LinePanel;
import io.loomshim.bench.chart.RangeChart;
import io.loomshim.bench.chart.RatioChart;
import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Unit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Which figures are drawn how. A plot without samples is left out. */
final class Plots {
  /** One file. */
  record Plot(String name, String title, String svg) {}

  private static final List<Side> ALL = List.of(Side.LOOM, Side.BEFORE, Side.RUNC_V1, Side.RUNC_V2,
      Side.GROUP, Side.LOOM_EACH, Side.FLOOR);

  private final Samples samples;

  Plots(Samples samples) {
    this.samples = samples;
  }

  List<Plot> all() {
    var plots = new ArrayList<Plot>();
    ratios(plots);
    lines(plots, "density", "Running containers", "All shims of a side together, while every container sleeps",
        "containers", List.of(Figure.PSS, Figure.THREADS, Figure.FILES, Figure.IDLE_CPU));
    ranges(plots, "commands", "Whole commands", List.of(Figure.RUN_WARM, Figure.RUN_COLD, Figure.START, Figure.DELETE,
        Figure.EXEC_CTR, Figure.EXEC_RPC, Figure.EXEC_MANY, Figure.CHURN, Figure.EXEC_CPU, Figure.CHURN_CPU));
    ranges(plots, "calls", "Calls to a shim", List.of(Figure.STATE, Figure.STATS, Figure.PIDS, Figure.KILL,
        Figure.RPC_CREATE, Figure.RPC_DELETE));
    ranges(plots, "streams", "Bytes through a shim", List.of(Figure.STDOUT_CTR, Figure.STDOUT, Figure.PTY,
        Figure.KEYSTROKE, Figure.PIPE));
    lines(plots, "connections", "State on many connections", "One call in flight on each connection", "connections",
        List.of(Figure.CONN_RATE, Figure.CONN_TAIL));
    return plots;
  }

  private void ratios(List<Plot> plots) {
    var rows = new ArrayList<RatioChart.Row>();
    for (Figure figure : Figure.ALL) {
      for (int n : samples.counts(figure)) {
        double ratio = less(figure, samples.ratio(figure, n, Side.RUNC_V2));
        double group = less(figure, samples.ratio(figure, n, Side.GROUP));
        if (figure.inReadme(n) && !Double.isNaN(ratio)) {
          rows.add(new RatioChart.Row(figure.plainTitle(n), ratio, group,
              median(figure, n, Side.LOOM), median(figure, n, Side.RUNC_V2)));
        }
      }
    }
    if (!rows.isEmpty()) {
      String title = "loom beside runc.v2";
      String subtitle = "loom as a multiple of runc.v2; medians, measured in turn";
      plots.add(new Plot("overview", title, RatioChart.draw(title, subtitle, Side.RUNC_V2.title(),
          "beside one runc.v2 shim for all containers (one group)", rows)));
    }
  }

  /** A rate turned into a time. */
  private static double less(Figure figure, double ratio) {
    return figure.better() == Figure.Better.LESS ? ratio : 1 / ratio;
  }

  private String median(Figure figure, int n, Side side) {
    return figure.unit().text(samples.of(figure, n, side).median());
  }

  private void ranges(List<Plot> plots, String name, String title, List<Figure> figures) {
    var panels = new ArrayList<RangeChart.Panel>();
    for (Figure figure : figures) {
      for (int n : samples.counts(figure)) {
        var bars = new ArrayList<RangeChart.Bar>();
        for (Side side : ALL) {
          // runc's commands are no peer of calls that need none
          boolean peer = side != Side.FLOOR || figure.unit() != Unit.US;
          if (peer && !samples.of(figure, n, side).empty()) {
            bars.add(new RangeChart.Bar(side, samples.of(figure, n, side)));
          }
        }
        if (!bars.isEmpty()) {
          panels.add(new RangeChart.Panel(figure.plainTitle(n), figure.unit(), bars));
        }
      }
    }
    if (!panels.isEmpty()) {
      plots.add(new Plot(name, title, RangeChart.draw(title, "Medians; the lines are the 10th to the 90th percentile."
          + " Shorter is better.", panels)));
    }
  }

  private void lines(List<Plot> plots, String name, String title, String subtitle, String across,
      List<Figure> figures) {
    var panels = new ArrayList<LinePanel>();
    for (Figure figure : figures) {
      Map<Side, Map<Integer, Double>> lines = samples.lines(figure, Side.SHIMS);
      if (!lines.isEmpty()) {
        panels.add(new LinePanel(figure.axis(), across, figure.unit(), lines, Map.of()));
      }
    }
    if (!panels.isEmpty()) {
      plots.add(new Plot(name, title, LineChart.draw(title, subtitle, Side.SHIMS, panels)));
    }
  }
}
