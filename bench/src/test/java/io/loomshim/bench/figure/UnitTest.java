package io.loomshim.bench.figure;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class UnitTest {
  @Test
  void threeDigitsAreWritten() {
    assertEquals("1.23 ms", Unit.MS.text(1.234));
    assertEquals("12.3 ms", Unit.MS.text(12.34));
    assertEquals("123 ms", Unit.MS.text(123.4));
    assertEquals("10.0 ms", Unit.MS.text(9.999));
    assertEquals("100 ms", Unit.MS.text(99.99));
    assertEquals("0 MB", Unit.MB.text(0));
  }

  @Test
  void largeValuesAreWrittenInTheLargerUnit() {
    assertEquals("1.98 s", Unit.MS.text(1982));
    assertEquals("1.66 GB", Unit.MB.text(1700));
    assertEquals("87.8 k/s", Unit.RATE.text(87_800));
    assertEquals("5.00 ms", Unit.US.text(5000));
  }

  @Test
  void countsAreWhole() {
    assertEquals("9646", Unit.COUNT.text(9645.6));
    assertEquals("1–3", Unit.COUNT.range(1.2, 2, 2.8));
  }

  @Test
  void aRangeIsInTheUnitOfItsMiddle() {
    assertEquals("0.90–1.50", Unit.MS.range(900, 1200, 1500));
    assertEquals("800–1500", Unit.MS.range(800, 999, 1500));
  }

  @Test
  void marksAreRoundInTheUnitThatTheyAreWrittenIn() {
    assertEquals("1 GB", Unit.MB.round(Unit.MB.tick(1000)));
    assertEquals("100 MB", Unit.MB.round(Unit.MB.tick(100)));
    assertEquals("0.1 ms/s", Unit.MS_PER_S.round(0.1));
    assertEquals("20 ms", Unit.US.round(Unit.US.tick(20_000)));
  }
}
