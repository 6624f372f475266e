package io.loomshim.integration.stdio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What goes in and out of a container without a terminal. */
final class StdioIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final int LARGE = 20 << 20;
  private static final String NUMBERS = "seq 1 100000000 | head -c " + LARGE;

  @Test
  void stdinReachesTheContainerAndItsEndEndsIt() {
    assertEquals("first\nlast without line feed", fed("first\nlast without line feed".getBytes(), "cat").text());
  }

  @Test
  void fiveMebibytesGoThroughStdinAndBackUnchanged() {
    long seed = new Random().nextLong();
    byte[] data = new byte[5 << 20];
    new Random(seed).nextBytes(data);
    assertArrayEquals(data, fed(data, "cat").out(), "seed " + seed);
  }

  @Test
  void anEmptyStdinIsAtItsEndAtOnce() {
    assertEquals("0\n", fed(new byte[0], "wc", "-c").text());
  }

  /** Runs a container whose stdin ends after {@code data}; ctr closes the task's stdin only if the task exists then. */
  private static Exec.Result fed(byte[] data, String... command) {
    String id = Names.id("fed");
    var run = BED.ctr().start(SHIM, List.of("--rm"), Exec.Setting.PIPE, id, command);
    Await.status(BED.ctr(), id, "RUNNING");
    run.feed(data);
    return run.await(Ctr.LIMIT).ok();
  }

  @Test
  void twentyMebibytesOnStdoutArriveIntact() {
    var result = BED.ctr().run(SHIM, Names.id("out"), "sh", "-c", NUMBERS).ok();
    assertEquals(numbers(), sha256(result.out()));
    assertEquals("", result.errors());
  }

  @Test
  void twentyMebibytesOnStderrArriveIntact() {
    var result = BED.ctr().run(SHIM, Names.id("err"), "sh", "-c", NUMBERS + " >&2").ok();
    assertEquals(numbers(), sha256(result.err()));
    assertEquals("", result.text());
  }

  @Test
  void stdoutAndStderrDoNotHoldEachOtherUp() {
    var result = BED.ctr().run(SHIM, Names.id("both"), "sh", "-c", NUMBERS + " >&2 & " + NUMBERS + "; wait").ok();
    assertEquals(numbers(), sha256(result.out()));
    assertEquals(numbers(), sha256(result.err()));
  }

  @RepeatedTest(20)
  void outputWrittenJustBeforeExitIsNotLost() {
    var result = BED.ctr().run(SHIM, Names.id("last"), "sh", "-c", "echo out; echo err >&2; exit 5");
    assertEquals("5 out\n err\n", result.exit() + " " + result.text() + " " + result.errors());
  }

  @Test
  void withoutStdioAContainerRunsAllTheSame() {
    var result = BED.ctr().run(SHIM, List.of("--rm", "--null-io"), Names.id("null"), "sh", "-c",
        "echo nobody reads this; cat; exit 6");
    assertEquals("6 ", result.exit() + " " + result.text());
  }

  @Test
  void aReaderThatGoesAwayDoesNotStopTheContainer() {
    String id = Names.id("deserted");
    var run = BED.ctr().start(SHIM, List.of(), Exec.Setting.NO_STDIN, id, "sh", "-c",
        "trap 'echo more; echo more >&2; exit 8' USR1; echo ready; sleep 1000 & wait");
    Await.until("it is ready", () -> run.output().contains("ready"));
    run.kill();
    BED.ctr().kill(id, "USR1").ok();
    Await.status(BED.ctr(), id, "STOPPED");
    assertEquals(8, BED.ctr().deleteTask(id));
    BED.ctr().deleteContainer(id).ok();
  }

  private static String numbers() {
    var text = new StringBuilder(LARGE + 16);
    for (int i = 1; text.length() < LARGE; i++) {
      text.append(i).append('\n');
    }
    return sha256(text.substring(0, LARGE).getBytes());
  }

  private static String sha256(byte[] data) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(data));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
