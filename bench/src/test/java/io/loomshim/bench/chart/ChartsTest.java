package io.loomshim.bench.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Spread;
import io.loomshim.bench.figure.Unit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Drawings of what is hardest to place: the longest names, the largest numbers, the widest ranges. */
class ChartsTest {
  private static String ratios(double... ratios) {
    var rows = new ArrayList<RatioChart.Row>();
    for (int i = 0; i < ratios.length; i++) {
      String label = Figure.ALL.get(i % Figure.ALL.size()).plainTitle(1000);
      rows.add(new RatioChart.Row(label, ratios[i], 1 / ratios[i], "1024 k/s", "1024 k/s"));
    }
    return RatioChart.draw("loom beside runc.v2", "What loom takes ".repeat(10), "runc.v2", "beside one group", rows);
  }

  @Test
  void everyFigureHasRoomBesideItsBar() {
    double[] all = new double[Figure.ALL.size()];
    java.util.Arrays.fill(all, 0.5);
    var drawing = new Drawing(ratios(all));
    drawing.check();
    assertTrue(drawing.texts().contains("1024 k/s"));
  }

  @Test
  void ratiosOfAllSizesAreDrawnBetweenTheMarks() {
    for (double ratio : new double[] {0.9, 0.4, 0.02, 0.0005, 0.00001, 7, 60, 40_000}) {
      var alone = List.of(new RatioChart.Row("alone", ratio, Double.NaN, "9 ms", "9 ms"));
      new Drawing(RatioChart.draw("t", "s", "runc.v2", "", alone)).check();
      var drawing = new Drawing(ratios(ratio, 0.8));
      drawing.check();
      assertTrue(drawing.texts().stream().filter(text -> text.startsWith("1/") || text.endsWith("×")).count() >= 2,
          drawing.texts().toString());
    }
  }

  /** Pages show it at half its width: 9 pixels and more are left of every text. */
  @Test
  void ratiosCanBeReadAtHalfTheirWidth() {
    String svg = ratios(0.01, 0.5, 4);
    assertFalse(svg.matches("(?s).*<text[^>]*class=\"[a-z]+( small)?\".*"), svg);
    assertTrue(Svg.LARGE / 2.0 >= 9);
  }

  @Test
  void aRatioWithoutLimitsDoesNotMoveTheOthers() {
    assertFalse(ratios(0, 0.5).contains("NaN"));
    new Drawing(ratios(0, 0.5)).check();
  }

  @Test
  void barsOfEverySideHaveRoomForNameAndValue() {
    var sides = new ArrayList<>(Side.SHIMS);
    sides.add(Side.FLOOR);
    var bars = sides.stream().map(side -> new RangeChart.Bar(side, new Spread(List.of(100.0, 123.0, 900.0)))).toList();
    var panels = List.of(Figure.EXEC_RPC, Figure.EXEC_MANY, Figure.CHURN_CPU, Figure.KEYSTROKE, Figure.STDOUT).stream()
        .map(figure -> new RangeChart.Panel(figure.plainTitle(1024), figure.unit(), bars)).toList();
    new Drawing(RangeChart.draw("Whole commands", "Medians", panels)).check();
  }

  @Test
  void barsThatAreZeroAreDrawn() {
    var bars = List.of(new RangeChart.Bar(Side.LOOM, new Spread(List.of(0.0))));
    String svg = RangeChart.draw("t", "s", List.of(new RangeChart.Panel("idle", Unit.MS_PER_S, bars)));
    assertFalse(svg.contains("NaN") || svg.contains("Infinity"), svg);
  }

  private static LinePanel panel(Figure figure, double factor, int... counts) {
    var lines = new TreeMap<String, Map<Integer, Double>>();
    for (Side side : List.of(Side.LOOM, Side.RUNC_V1)) {
      var line = new TreeMap<Integer, Double>();
      for (int count : counts) {
        line.put(count, count * factor);
      }
      lines.put(side.name(), line);
    }
    return new LinePanel(figure.axis(), "containers", figure.unit(),
        Map.of(Side.LOOM, lines.get("loom"), Side.RUNC_V1, lines.get("runc.v1")), Map.of());
  }

  @Test
  void linesOverAllNumbersHaveMarksThatDoNotMeet() {
    for (double factor : new double[] {0.01, 0.7, 1.66, 900}) {
      var panels = List.of(panel(Figure.PSS, factor, 1, 10, 100, 200, 500, 1000), panel(Figure.THREADS, factor, 1, 3),
          panel(Figure.CONN_RATE, factor, 1, 50, 500, 550), panel(Figure.IDLE_CPU, 0, 1, 10));
      new Drawing(LineChart.draw("Running containers", "All", Side.SHIMS, panels)).check();
    }
  }

  @Test
  void anAxisHasThreeLinesOrMore() {
    for (double factor : new double[] {1, 1.1, 3.7, 45, 800}) {
      String svg = LineChart.draw("t", "s", Side.SHIMS, List.of(panel(Figure.PSS, factor, 1, 2)));
      assertTrue(svg.split("class=\"grid\"", -1).length > 3, svg);
    }
  }

  @Test
  void theKeyNamesTheSidesThatAreDrawn() {
    var texts = new Drawing(LineChart.draw("t", "s", Side.SHIMS, List.of(panel(Figure.PSS, 1, 1, 10)))).texts();
    assertTrue(texts.contains("runc.v1") && texts.contains("loom"), texts.toString());
    assertFalse(texts.contains("runc.v2") || texts.contains("loom before"), texts.toString());
  }

  @Test
  void whereASideCouldNotGoOnThereIsACross() {
    var line = Map.<Integer, Double>of(1, 10.0, 10, 20.0);
    var panel = new LinePanel("t", "containers", Unit.MB, Map.of(Side.LOOM, line), Map.of(Side.GROUP, 100));
    var svg = Svg.bare();
    panel.draw(svg, LinePanel.Axes.of(List.of(panel)), 0, 10, 400);
    String text = svg.fragment(400, LinePanel.HEIGHT_ALL, "t");
    assertEquals(2, text.split("path end runc-v2-group", -1).length - 1);
    assertTrue(text.contains(">100</text>"), "its number is on the axis");
  }

  @Test
  void everySideHasAColour() {
    String svg = ratios(1);
    for (Side side : Side.SHIMS) {
      assertTrue(svg.contains("." + Svg.of(side) + "{fill:"), side.name());
    }
    assertTrue(svg.contains("." + Svg.of(Side.FLOOR) + "{fill:"));
  }
}
