package io.loomshim.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomshim.runc.SealedPrograms;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ArgumentsTest {
  private static String refusal(String... args) {
    return assertThrows(IllegalArgumentException.class, () -> Arguments.parse(args)).getMessage();
  }

  @Test
  void everythingThatTheLauncherSaysIsRead() {
    String[] args = {
      "-namespace", "k8s.io", "-address", "/run/c.sock", "-mode", "pod", "-run-dir", "/run/x", "-linger", "7",
      "-threads", "platform", "-stuck", "5", "-kill-exec-tree", "-debug", "-runc-timeout", "9",
      "-no-native-runc", "-no-early-cgroup-wait", "-no-spawn-apart", "-sealed-runtime", "false",
      "-take-over", "-inherit", "3", "-stand-by", "8", "-journal", "/run/j", "-build", "b1",
      "-mistake", "one", "-mistake", "two"
    };
    assertEquals(
        new Arguments("k8s.io", "/run/c.sock", Path.of("/run/x"), Duration.ofSeconds(7), "pod", "platform",
            Duration.ofSeconds(5), true, false, true, Duration.ofSeconds(9),
            new Shortcuts(false, false, SealedPrograms.Policy.NEVER), new Survival(true, 3, 8), "/run/j", "b1",
            List.of("one", "two")),
        Arguments.parse(args));
  }

  @Test
  void aDaemonLingersForHalfAMinuteAndIsQuietUnlessTold() {
    assertEquals(
        new Arguments("ns", "", Path.of("/r"), Duration.ofSeconds(30), "namespace", "virtual",
            Duration.ofSeconds(30), false, true, false, Duration.ofSeconds(60), Shortcuts.ALL, Survival.NONE,
            "", "", List.of()),
        Arguments.parse(new String[] {"-namespace", "ns", "-run-dir", "/r"}));
  }

  @Test
  void lingerIsAWholeNumberOfSecondsAndMayBeZero() {
    assertEquals(
        Duration.ZERO, Arguments.parse(new String[] {"-namespace", "n", "-run-dir", "/r", "-linger", "0"}).linger());
    for (String text : new String[] {"", "x", "-1", "1.5", "4294967295", "30s"}) {
      assertEquals(
          "linger_seconds is not a number of seconds: " + text,
          refusal("-namespace", "n", "-run-dir", "/r", "-linger", text));
    }
  }

  @Test
  void runcHasASecondAtLeastAndAlwaysALimit() {
    for (String text : new String[] {"", "x", "-1", "0", "60s"}) {
      assertEquals(
          "runc_timeout_seconds is not a number of seconds: " + text,
          refusal("-namespace", "n", "-run-dir", "/r", "-runc-timeout", text));
    }
  }

  @Test
  void whatIsMissingOrUnknownIsNamed() {
    assertEquals("shim namespace cannot be empty", refusal("-run-dir", "/r"));
    assertEquals("-run-dir is missing", refusal("-namespace", "n"));
    assertEquals("no value for -linger", refusal("-namespace", "n", "-run-dir", "/r", "-linger"));
    assertEquals("unknown argument -x", refusal("-x"));
  }
}
