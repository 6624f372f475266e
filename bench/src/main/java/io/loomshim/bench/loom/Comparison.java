package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.scenario.Plan;
import java.io.PrintWriter;
import java.util.List;

/**
 * What an axis of the comparison gets.
 *
 * @param failures takes the lines of {@link Failure}
 * @param neighbours what else the machine does
 * @param end of the time for new cells, as System.nanoTime() tells it
 */
record Comparison(Plan plan, Cells cells, PrintWriter failures, Neighbours neighbours,
    long end) {
  List<Integer> counts(Axis axis, Side side) {
    return cells.counts(axis, side);
  }

  void add(Figure figure, int n, Side side, double value) {
    plan.samples().add(figure, n, side, value);
  }

  boolean late() {
    return System.nanoTime() - end >= 0;
  }

  /** Notes that a cell is left out. */
  void skip(Axis axis, int n, Side side, String reason) {
    plan.skipped().println(axis.key() + "," + n + "," + side.name() + "," + reason.replace(',', ';'));
    Plan.say("    skipped: " + axis.key() + " " + n + ", " + side.title() + ": " + reason);
  }

  /** Notes that a side could not do something. */
  void fail(Axis axis, int n, Side side, String what, String text) {
    var failure = new Failure(axis, n, side, what, text);
    failures.println(failure.line());
    Plan.say("    " + axis.key() + " " + n + ", " + side.title() + ": " + what + ": " + failure.text());
  }
}
