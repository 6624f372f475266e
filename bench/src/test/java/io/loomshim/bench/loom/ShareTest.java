package io.loomshim.bench.loom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ShareTest {
  private static long in(int seconds) {
    return System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
  }

  @Test
  void aSideHasAnEqualPartOfWhatIsLeft() {
    double seconds = (Share.of(in(1000), 4).end() - System.nanoTime()) / 1e9;
    assertTrue(seconds > 240 && seconds <= 250, "" + seconds);
  }

  @Test
  void startingAndEndingMustFit() {
    // 50 to start and 100 to end: 50 + 40 seconds
    assertEquals("", new Share(in(95)).against(100, 50, 1));
    assertTrue(new Share(in(85)).against(100, 50, 1).startsWith("needs 90 s more of 8"));
  }

  @Test
  void withoutTimeOnlyTheFirstContainerFits() {
    assertEquals("needs 1 s more of 0", new Share(in(-5)).against(1, 1, 1));
    assertTrue(new Share(in(1)).against(1, 1, 0).isEmpty(), "what one takes is not known yet");
  }
}
