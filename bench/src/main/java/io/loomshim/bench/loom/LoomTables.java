package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Interval;
import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Spread;
import io.loomshim.bench.figure.Unit;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Tables of the comparison: rows of cells, the first row being the heads of the columns. */
final class LoomTables {
  private static final List<Side> HEADLINE_SIDES = List.of(Variants.of("virtual", 25), Variants.of("platform", 25),
      Variants.of("loop", 25), Variants.of("fixed64", 25), Variants.of("virtual", 27), Variants.of("virtual", 21),
      Variants.of("platform", 21), Side.GROUP, Side.RUNC_V1);

  /** Fewer samples have no interval worth the room. */
  private static final int INTERVAL_SAMPLES_MIN = 3;
  private static final List<Side> COMPARED = HEADLINE_SIDES.subList(0, 2);

  private final Samples samples;

  LoomTables(Samples samples) {
    this.samples = samples;
  }

  /** Everything that was measured on an axis, for the sides that have anything. */
  List<List<String>> all(Axis axis) {
    List<Figure> figures = LoomFigures.BY_AXIS.get(axis);
    List<Side> sides = measured(figures);
    var rows = new ArrayList<List<String>>();
    rows.add(row("", "", sides, Side::title));
    for (Figure figure : figures) {
      for (int n : samples.counts(figure)) {
        rows.add(row(figure.title(), "" + n, sides, side -> cell(figure, n, side)));
      }
    }
    return rows;
  }

  /**
   * The last number of each figure that was measured with virtual and with platform threads, and before it the last
   * one that all sides have; of a run that has no such number, of some cells for example, the last number of each
   * figure with what was measured.
   */
  List<List<String>> headlines() {
    boolean compares = figures().anyMatch(figure -> last(figure, COMPARED) != Samples.NONE);
    List<Side> sides = compares ? HEADLINE_SIDES.stream().filter(samples::has).toList() : measured(figures().toList());
    List<Side> needed = compares ? COMPARED : List.of();
    var rows = new ArrayList<List<String>>();
    rows.add(row("", "at", sides, Side::title));
    for (Axis axis : LoomFigures.BY_AXIS.keySet()) {
      for (Figure figure : LoomFigures.BY_AXIS.get(axis)) {
        int last = last(figure, needed);
        int before = compares ? last(figure, unlimited(figure)) : last;
        for (int n : before < last ? new int[] {before, last} : new int[] {last}) {
          if (n != Samples.NONE) {
            rows.add(row(figure.title(), n + " " + axis.what(), sides, side -> cell(figure, n, side)));
          }
        }
      }
    }
    return rows;
  }

  /** The sides of the short table that have {@code figure} at all, without those that are meant to be starved. */
  private List<Side> unlimited(Figure figure) {
    var sides = new ArrayList<>(HEADLINE_SIDES);
    sides.removeIf(side -> Variants.limited(side) || samples.lines(figure, List.of(side)).isEmpty());
    return sides;
  }

  private static Stream<Figure> figures() {
    return LoomFigures.BY_AXIS.values().stream().flatMap(List::stream);
  }

  /** The sides that have any of the {@code figures}. */
  private List<Side> measured(List<Figure> figures) {
    var sides = new ArrayList<>(Variants.ALL);
    sides.removeIf(side -> figures.stream().allMatch(figure -> samples.lines(figure, List.of(side)).isEmpty()));
    return sides;
  }

  /** The last number of {@code figure} for which all {@code needed} sides have a sample. */
  private int last(Figure figure, List<Side> needed) {
    int last = Samples.NONE;
    for (int n : samples.counts(figure)) {
      last = needed.stream().noneMatch(side -> samples.of(figure, n, side).empty()) ? n : last;
    }
    return last;
  }

  /** By how much virtual threads lose, and against what. */
  List<List<String>> losses() {
    var losses = new Losses(samples);
    var rows = new ArrayList<List<String>>();
    var heads = new ArrayList<String>(List.of("", ""));
    List<Losses.Pair> pairs =
        Losses.PAIRS.stream().filter(pair -> samples.has(pair.virtual()) && samples.has(pair.other())).toList();
    pairs.forEach(pair -> heads.add("beside " + pair.title()));
    rows.add(heads);
    for (Axis axis : LoomFigures.BY_AXIS.keySet()) {
      for (Figure figure : LoomFigures.BY_AXIS.get(axis)) {
        var row = new ArrayList<String>(List.of(figure.title(), axis.what()));
        pairs.forEach(pair -> row.add(losses.of(figure, pair)));
        if (!String.join("", row.subList(2, row.size())).isEmpty()) {
          rows.add(row);
        }
      }
    }
    var sum = new ArrayList<String>(List.of("lost", "all figures"));
    pairs.forEach(pair -> sum.add(losses.count(pair)));
    rows.add(sum);
    return rows;
  }

  static List<List<String>> failures(List<Failure> failures) {
    var rows = new ArrayList<List<String>>();
    rows.add(List.of("side", "at", "what", "what the client was told"));
    for (Failure failure : failures) {
      rows.add(List.of(failure.side().title(), failure.n() + " " + failure.axis().what(), failure.what(),
          failure.text()));
    }
    return rows;
  }

  private static List<String> row(String first, String second, List<Side> sides, Function<Side, String> cell) {
    var row = new ArrayList<String>(List.of(first, second));
    sides.forEach(side -> row.add(cell.apply(side)));
    return row;
  }

  private String cell(Figure figure, int n, Side side) {
    Spread spread = samples.of(figure, n, side);
    if (spread.empty()) {
      return "";
    }
    String text = figure.unit().text(spread.median()).replace(' ', Unit.NO_BREAK);
    if (spread.count() < INTERVAL_SAMPLES_MIN) {
      return text;
    }
    Interval interval = Interval.of(spread);
    if (interval.low() == interval.high()) {
      return text;
    }
    return text + " (" + figure.unit().range(interval.low(), spread.median(), interval.high()) + ")";
  }

  /** In Markdown. */
  static String markdown(List<List<String>> rows) {
    var text = new StringBuilder();
    for (int i = 0; i < rows.size(); i++) {
      text.append("| ").append(String.join(" | ", rows.get(i))).append(" |\n");
      text.append(i == 0 ? "|" + "---|".repeat(rows.get(i).size()) + "\n" : "");
    }
    return text.toString();
  }

  /** In HTML; every cell passes {@code escape}. */
  static String html(List<List<String>> rows, UnaryOperator<String> escape) {
    var text = new StringBuilder("<div class=\"wide\"><table>\n");
    for (int i = 0; i < rows.size(); i++) {
      text.append("<tr>");
      for (int j = 0; j < rows.get(i).size(); j++) {
        String tag = i == 0 || j == 0 ? "th" : "td";
        text.append('<').append(tag).append('>').append(escape.apply(rows.get(i).get(j))).append("</").append(tag)
            .append('>');
      }
      text.append("</tr>\n");
    }
    return text.append("</table></div>\n").toString();
  }
}
