package io.loomshim.bench.figure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class SpreadTest {
  @Test
  void theMedianOfAnOddNumberIsTheOneInTheMiddle() {
    assertEquals(3, new Spread(List.of(9.0, 1.0, 3.0)).median());
  }

  @Test
  void theMedianOfAnEvenNumberLiesBetweenTheTwoInTheMiddle() {
    assertEquals(2.5, new Spread(List.of(4.0, 1.0, 3.0, 2.0)).median());
  }

  @Test
  void percentilesLieBetweenSamplesInProportion() {
    var spread = new Spread(List.of(50.0, 10.0, 20.0, 30.0, 40.0));
    assertEquals(14, spread.low(), 1e-9);
    assertEquals(46, spread.high(), 1e-9);
    assertEquals(10, spread.at(0));
    assertEquals(50, spread.at(1));
    assertEquals(49.6, spread.at(0.99), 1e-9);
  }

  @Test
  void oneSampleIsEveryPercentile() {
    var spread = new Spread(List.of(7.0));
    assertEquals(List.of(7.0, 7.0, 7.0), List.of(spread.low(), spread.median(), spread.high()));
  }

  @Test
  void nothingMeasuredIsEmpty() {
    assertTrue(new Spread(List.of()).empty());
    assertFalse(new Spread(List.of(1.0)).empty());
  }
}
