package io.loomshim.integration.harness;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is told of a test that does not end. */
final class HangIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  @Test
  void aTestThatHangsIsInterruptedAfterEverythingThatItMayWaitForWasTold() {
    var report = new ByteArrayOutputStream();
    try (var task = BED.shims().start(Shim.tested(), BED.shims().bundle(Names.id("hang"), "sleep", "4711"))) {
      task.create();
      task.start();
      try (var hang = Hang.watch("this test", Duration.ofMillis(1), new PrintStream(report, true))) {
        assertThrows(InterruptedException.class, new CountDownLatch(1)::await, hang::toString);
      }
      assertFalse(Thread.currentThread().isInterrupted());
      task.end();
    }
    String text = report.toString(StandardCharsets.UTF_8);
    // this test, the container's process and where it is in the kernel, the daemon's thread for it
    for (String part : List.of(HangIT.class.getName() + ".aTestThatHangsIsInterrupted", "sleep 4711", "nanosleep")) {
      assertTrue(text.contains(part), () -> part + " is not in\n" + text);
    }
    if (Shim.tested().ours()) {
      assertTrue(text.contains("\"exit/hang-"), text);
    }
  }

  @Test
  void ofATestThatEndsNothingIsTold() {
    var report = new ByteArrayOutputStream();
    Hang.watch("this test", Duration.ofMinutes(1), new PrintStream(report, true)).close();
    assertFalse(Thread.currentThread().isInterrupted());
    assertTrue(report.size() == 0, report::toString);
  }
}
