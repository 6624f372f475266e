package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Size;
import java.util.ArrayList;
import java.util.List;

/**
 * Which cells are measured: all those of a size, or only those that were named, {@code SIDE:N} for a number of waits
 * or {@code SIDE:AXIS:N}.
 */
record Cells(Size size, List<Axis> axes, List<Cell> named) {
  /** One place in the comparison. */
  record Cell(Side side, Axis axis, int n) {
    static Cell of(String text) {
      String[] parts = text.split(":");
      if (parts.length < 2 || parts.length > 3) {
        throw new IllegalArgumentException("no cell " + text + ": SIDE:N or SIDE:AXIS:N");
      }
      Axis axis = parts.length == 2 ? Axis.WAITS : Axis.of(parts[1]);
      return new Cell(Side.of(parts[0], Variants.ALL), axis, Integer.parseInt(parts[parts.length - 1]));
    }
  }

  /** {@code cells} separated by commas, empty for all. */
  static Cells of(Size size, String axes, String cells) {
    var some = new ArrayList<Axis>();
    for (String axis : axes.split(",")) {
      some.add(Axis.of(axis));
    }
    var named = new ArrayList<Cell>();
    for (String cell : cells.isEmpty() ? new String[0] : cells.split(",")) {
      named.add(Cell.of(cell));
    }
    return new Cells(size, List.copyOf(some), List.copyOf(named));
  }

  /** The numbers to be measured on an axis, smallest first. */
  List<Integer> counts(Axis axis, Side side) {
    var counts = new ArrayList<Integer>();
    if (named.isEmpty()) {
      for (int n : axes.contains(axis) ? axis.counts(size) : new int[0]) {
        if (Variants.measured(side, axis, n)) {
          counts.add(n);
        }
      }
    }
    for (Cell cell : named) {
      if (cell.axis() == axis && cell.side().equals(side)) {
        counts.add(cell.n());
      }
    }
    counts.sort(Integer::compare);
    return counts;
  }
}
