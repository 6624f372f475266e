package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class RuncLimitsTest {
  @Test
  void limitsOfSlowCommandsAreMultiplesOfTheOthers() {
    var limits = RuncLimits.of(Duration.ofMillis(1750));
    assertEquals(new RuncLimits(Duration.ofMillis(3500), Duration.ofMillis(52_500), Duration.ofMillis(1750)), limits);
    Duration longest = Duration.ofSeconds(Integer.MAX_VALUE);
    assertEquals(longest.multipliedBy(30), RuncLimits.of(longest).checkpoint());
  }
}
