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
  void callsAreParkedWhereNoneIsRefusedAndOneServerHasThemAll() {
    Cells cells = Cells.of(Size.QUICK, "parked", "");
    for (Side side : List.of(VIRTUAL, Variants.of("platformlean", 25), Variants.of("loop", 27), Side.GROUP)) {
      assertEquals(List.of(100, 1000), cells.counts(Axis.PARKED, side), side.name());
    }
    for (Side side : List.of(Variants.of("fixed512", 25), Variants.of("pinned", 25), Side.RUNC_V1)) {
      assertEquals(List.of(), cells.counts(Axis.PARKED, side), side.name());
    }
    assertEquals(List.of(7),
        Cells.of(Size.QUICK, "parked", "fixed512-25:parked:7").counts(Axis.PARKED, Variants.of("fixed512", 25)));
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
