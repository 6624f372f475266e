package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Side;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** A container of each side, all at once, so that the sides can take turns; a side that is broken has no more turns. */
final class Turns implements AutoCloseable {
  private final Comparison comparison;
  private final Axis axis;
  private final Map<Side, Crowd> crowds = new LinkedHashMap<>();

  private Turns(Comparison comparison, Axis axis) {
    this.comparison = comparison;
    this.axis = axis;
  }

  /** Starts a container of every side of which there are cells. */
  static Turns of(Comparison comparison, Axis axis) throws IOException, InterruptedException {
    var turns = new Turns(comparison, axis);
    for (Side side : comparison.plan().sides()) {
      List<Integer> counts = comparison.counts(axis, side);
      if (!counts.isEmpty()) {
        var crowd = new Crowd(comparison.plan().site(), side);
        turns.crowds.put(side, crowd);
        try {
          crowd.grow(1);
        } catch (IOException e) {
          comparison.fail(axis, counts.getFirst(), side, "start of a container", Failure.text(e));
          crowd.broken();
        }
      }
    }
    return turns;
  }

  /** The numbers of which any side has a cell. */
  TreeSet<Integer> counts() {
    var counts = new TreeSet<Integer>();
    for (Side side : crowds.keySet()) {
      counts.addAll(comparison.counts(axis, side));
    }
    return counts;
  }

  /** The sides that have a cell for {@code n} and still work. */
  Map<Side, Crowd> of(int n) {
    var some = new LinkedHashMap<>(crowds);
    some.entrySet().removeIf(each -> each.getValue().isBroken() || !comparison.counts(axis, each.getKey()).contains(n));
    return some;
  }

  @Override
  public void close() throws IOException, InterruptedException {
    for (Crowd crowd : crowds.values()) {
      crowd.close();
    }
  }
}
