package io.loomshim.bench.loom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Size;
import java.util.List;
import org.junit.jupiter.api.Test;

class CellsTest {
  private static final Side VIRTUAL = Variants.of("virtual", 25);

  @Test
  void allCellsOfASizeAreMeasured() {
    Cells cells = Cells.of(Size.FULL, "waits,execs", "");
    assertEquals(List.of(1, 10, 100, 500, 1000, 2000), cells.counts(Axis.WAITS, VIRTUAL));
    assertEquals(List.of(1, 10, 50, 100), cells.counts(Axis.EXECS, VIRTUAL));
    assertEquals(List.of(), cells.counts(Axis.CALLERS, VIRTUAL));
  }

  @Test
  void sidesThatAreSlowOrFullHaveFewerContainers() {
    Cells cells = Cells.of(Size.FULL, "waits", "");
    assertEquals(1000, cells.counts(Axis.WAITS, Variants.of("virtual", 21)).getLast());
    assertEquals(500, cells.counts(Axis.WAITS, Variants.of("fixed64", 25)).getLast());
    assertEquals(500, cells.counts(Axis.WAITS, Variants.of("pinned", 25)).getLast());
    assertEquals(2000, cells.counts(Axis.WAITS, Side.GROUP).getLast());
  }

  @Test
  void onlyTheCellsThatAreNamedAreMeasured() {
    Cells cells = Cells.of(Size.FULL, "waits,execs,callers", "virtual-25:700,virtual-25:execs:7,virtual-25:3");
    assertEquals(List.of(3, 700), cells.counts(Axis.WAITS, VIRTUAL));
    assertEquals(List.of(7), cells.counts(Axis.EXECS, VIRTUAL));
    assertEquals(List.of(), cells.counts(Axis.CALLERS, VIRTUAL));
    assertEquals(List.of(), cells.counts(Axis.WAITS, Side.GROUP));
  }

  @Test
  void aCellIsASideMaybeAnAxisAndANumber() {
    assertThrows(IllegalArgumentException.class, () -> Cells.of(Size.FULL, "waits", "virtual-25"));
    assertThrows(IllegalArgumentException.class, () -> Cells.of(Size.FULL, "waits", "virtual-26:1"));
    assertThrows(IllegalArgumentException.class, () -> Cells.of(Size.FULL, "waits", "virtual-25:waits:1:1"));
    assertThrows(IllegalArgumentException.class, () -> Cells.of(Size.FULL, "wait", ""));
  }
}
