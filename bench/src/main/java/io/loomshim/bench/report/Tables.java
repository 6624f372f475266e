package io.loomshim.bench.report;

import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Skipped;
import io.loomshim.bench.figure.Spread;
import io.loomshim.bench.figure.Unit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The samples as tables in Markdown. */
final class Tables {
  /** The columns of the whole table. */
  private static final List<Side> COLUMNS =
      List.of(Side.LOOM, Side.BEFORE, Side.RUNC_V1, Side.RUNC_V2, Side.GROUP, Side.LOOM_EACH, Side.FLOOR);

  private static final Map<Side, String> SHORT = Map.of(Side.BEFORE, "before", Side.GROUP, "one group");

  /** From this ratio on, the table says that loom is the loser. */
  private static final double LOST = 1.05;

  private final Samples samples;
  private final List<Skipped> skipped;
  private final List<Side> columns;
  private final List<Side> compared; // loom's figures are divided by theirs

  Tables(Samples samples, List<Skipped> skipped) {
    this.samples = samples;
    this.skipped = skipped;
    boolean before = samples.has(Side.BEFORE);
    this.columns = COLUMNS.stream().filter(side -> before || side != Side.BEFORE).toList();
    this.compared = before ? List.of(Side.BEFORE, Side.RUNC_V1, Side.RUNC_V2, Side.GROUP)
        : List.of(Side.RUNC_V1, Side.RUNC_V2, Side.GROUP);
  }

  /** Every figure with its spread, the ratios and the goals, and what was not measured. */
  String all() {
    var text = new StringBuilder("| median (10th–90th percentile) |");
    columns.forEach(side -> text.append(' ').append(side.title()).append(" |"));
    compared.forEach(side -> text.append(" loom / ").append(SHORT.getOrDefault(side, side.title())).append(" |"));
    text.append(" goal |\n|---|").append("---|".repeat(columns.size() + compared.size() + 1)).append('\n');
    for (Figure figure : Figure.ALL) {
      for (int n : samples.counts(figure)) {
        text.append("| ").append(figure.title(n)).append(" |");
        columns.forEach(side -> text.append(cell(figure, n, side)));
        compared.forEach(side -> text.append(ratio(figure, n, side)));
        text.append(' ').append(goals(figure, n)).append(" |\n");
      }
    }
    if (!skipped.isEmpty()) {
      text.append("\nNot measured:\n\n");
      for (Skipped each : skipped) {
        text.append("- ").append(each.n()).append(" containers and more, ").append(Side.of(each.side()).title())
            .append(": ").append(each.reason()).append('\n');
      }
    }
    return text.toString();
  }

  private String cell(Figure figure, int n, Side side) {
    Spread spread = samples.of(figure, n, side);
    if (spread.empty()) {
      return " |";
    }
    String text = " " + figure.unit().text(spread.median());
    if (spread.count() > 2) {
      text += " (" + figure.unit().range(spread.low(), spread.median(), spread.high()) + ")";
    }
    return text + " |";
  }

  private String ratio(Figure figure, int n, Side than) {
    double ratio = samples.ratio(figure, n, than);
    if (Double.isNaN(ratio)) {
      return " |";
    }
    boolean lost = figure.better() == Figure.Better.LESS ? ratio >= LOST : ratio <= 1 / LOST;
    return String.format(Locale.ROOT, lost ? " **lost**, %s × |" : " %s × |", Unit.number(ratio));
  }

  private String goals(Figure figure, int n) {
    var texts = new ArrayList<String>();
    for (Figure.Goal goal : figure.goals(n)) {
      Spread loom = samples.of(figure, n, Side.LOOM);
      double reached = goal.plain() ? loom.empty() ? Double.NaN : loom.median() : samples.ratio(figure, n, goal.than());
      boolean less = figure.better() == Figure.Better.LESS;
      String bound = (less ? "≤ " : "≥ ") + (goal.plain() ? figure.unit().text(goal.factor())
          : Unit.number(goal.factor()) + " ×") + (goal.than() == Side.GROUP ? " one group" : "");
      boolean good = less ? reached <= goal.factor() : reached >= goal.factor();
      texts.add(bound + (Double.isNaN(reached) ? "" : good ? ": reached" : ": **missed**"));
    }
    return String.join("; ", texts);
  }
}
