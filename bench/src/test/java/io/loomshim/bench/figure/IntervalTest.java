package io.loomshim.bench.figure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IntervalTest {
  private static Interval of(double... values) {
    var list = new ArrayList<Double>();
    for (double value : values) {
      list.add(value);
    }
    return Interval.of(new Spread(list));
  }

  @Test
  void withFewSamplesItIsTheirRangeAndSaysHowLittleThatIs() {
    assertEquals(new Interval(7, 7, 0), of(7));
    assertEquals(new Interval(1, 2, 0.5), of(2, 1));
    assertEquals(new Interval(1, 5, 1 - 1 / 16.0), of(5, 4, 3, 2, 1));
  }

  /** The table for the sign test: six samples need all, nine leave one out on each side, twelve leave two out. */
  @Test
  void withMoreSamplesTheOutermostAreLeftOut() {
    assertEquals(new Interval(1, 6, 1 - 1 / 32.0), of(6, 5, 4, 3, 2, 1));
    Interval nine = of(9, 8, 7, 6, 5, 4, 3, 2, 1);
    assertEquals(2, nine.low());
    assertEquals(8, nine.high());
    assertEquals(1 - 20 / 512.0, nine.confidence(), 1e-12);
    Interval twelve = of(12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
    assertEquals(3, twelve.low());
    assertEquals(10, twelve.high());
    assertEquals(1 - 158 / 4096.0, twelve.confidence(), 1e-12);
  }

  /** Drawn a thousand times from something crooked, as latencies are. */
  @Test
  void theMedianLiesInItAsOftenAsItSays() {
    var random = new Random(18);
    int hits = 0;
    for (int draw = 0; draw < 1000; draw++) {
      var values = new ArrayList<Double>();
      for (int i = 0; i < 9; i++) {
        values.add(Math.exp(random.nextGaussian()));
      }
      Interval interval = Interval.of(new Spread(values));
      hits += interval.low() <= 1 && 1 <= interval.high() ? 1 : 0;
    }
    assertTrue(hits >= 945 && hits <= 980, hits + " of 1000, seed 18");
  }

  @Test
  void twoMeetThatHaveAValueInCommon() {
    var interval = new Interval(1, 3, 0.97);
    for (Interval other : List.of(new Interval(3, 4, 0.97), new Interval(0, 9, 0.97), new Interval(2, 2, 0.97))) {
      assertTrue(interval.meets(other) && other.meets(interval), other.toString());
    }
    assertFalse(interval.meets(new Interval(3.1, 4, 0.97)));
    assertFalse(new Interval(3.1, 4, 0.97).meets(interval));
  }
}
