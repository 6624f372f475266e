package io.loomshim.bench.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class RatioAxisTest {
  private static RatioAxis axis(double width, Double... ratios) {
    return RatioAxis.of(List.of(ratios), 100, 100 + width, 11);
  }

  private static List<String> names(RatioAxis axis) {
    return axis.marks().stream().map(RatioAxis.Mark::name).toList();
  }

  @Test
  void theAxisEndsAtMarksBeyondAllRatios() {
    RatioAxis axis = axis(600, 0.05, 2.0, Double.NaN);
    assertEquals(List.of("1/30", "1/10", "1/3", "1", "3 ×"), names(axis));
    assertEquals(100, axis.scale().at(1 / 30.0));
    assertEquals(700, axis.scale().at(3));
  }

  @Test
  void aRatioAtAMarkNeedsNoMore() {
    assertEquals(List.of("1/3", "1", "3 ×", "10 ×"), names(axis(600, 10.0)));
  }

  @Test
  void withoutRoomOnlyPowersOfTenAreMarked() {
    assertEquals(List.of("1/100000", "1/10000", "1/1000", "1/100", "1/10", "1", "10 ×"),
        names(axis(330, 0.00005, 4.0)));
  }

  @Test
  void withLittleRoomNotEveryMarkHasAName() {
    RatioAxis axis = axis(100, 0.00005, 4.0);
    assertEquals(7, axis.marks().size());
    assertEquals(List.of("1/1000", "1"), names(axis).stream().filter(name -> !name.isEmpty()).toList());
  }

  @Test
  void largerNamesNeedMoreRoom() {
    RatioAxis axis = RatioAxis.of(List.of(0.00005, 4.0), 100, 430, 22);
    assertEquals(List.of("1/10000", "1/100", "1"), names(axis).stream().filter(name -> !name.isEmpty()).toList());
  }

  @Test
  void whatHasNoLogarithmIsNoReasonForALongerAxis() {
    assertEquals(names(axis(600)), names(axis(600, 0.0, Double.POSITIVE_INFINITY, Double.NaN)));
  }

  @Test
  void equalRatiosHaveEqualDistances() {
    var scale = axis(600, 0.01, 100.0).scale();
    assertEquals(scale.at(10) - scale.at(1), scale.at(1) - scale.at(0.1), 1e-9);
    assertEquals(scale.at(0.01), scale.at(0.001), "clipped");
    assertTrue(scale.holds(0.02) && !scale.holds(0.001));
  }
}
