package io.loomshim.integration.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The table in docs/RELIABILITY.md: what each signal does to a daemon, with and without a container. */
final class DaemonSignalsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Map<String, String> TAKE_OVER =
      Map.of("take_over", "true", "java_options", "-Dloomshim.deaths.seconds=0");

  @BeforeAll
  static void ours() {
    Shim.assumeOurs("what signals do to the Go shim is its own affair");
  }

  private static String log(OwnDaemon own) {
    try {
      return Files.readString(own.daemon().directory().resolve("daemon.log"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What is ignored here is ignored by all that is started here: nohup(1) does that to SIGHUP. */
  private static void assumeNotIgnored(String signal) throws IOException {
    String ignored = Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("SigIgn:")).findFirst().orElseThrow().substring(7).strip();
    boolean hangUp = (Long.parseUnsignedLong(ignored, 16) & 1) == 1;
    assumeFalse(signal.equals("HUP") && hangUp, "these tests were started by nohup");
  }

  private static void assertEndedInOrder(OwnDaemon own, ShimClient task, long pid) {
    Await.until("the daemon has ended", () -> !Proc.alive(pid));
    assertFalse(Files.exists(own.daemon().directory().resolve("daemon")), "it still names itself");
    assertFalse(Files.exists(task.socket()), "its socket is there");
    Await.until("the connection is closed", task::disconnected);
  }

  @ParameterizedTest
  @CsvSource({"TERM, false", "INT, false", "HUP, false", "TERM, true", "INT, true", "HUP, true"})
  void aSignalThatAsksForTheEndEndsADaemonInOrderAndLeavesItsContainers(String signal, boolean takeOver)
      throws Exception {
    assumeNotIgnored(signal);
    try (var own = new OwnDaemon(BED.rootfs(), takeOver ? TAKE_OVER : Map.of());
        var task = own.running("sleep", "1000")) {
      int container = task.connect().getTaskPid();
      long pid = own.pid();
      long holder = takeOver ? own.holder() : 0;
      Proc.signal(pid, signal);
      assertEndedInOrder(own, task, pid);
      own.shims().sink().until(own.shims().namespace(), task.id(), "/tasks/start");
      assertTrue(Proc.alive(container), "the container has ended");
      if (takeOver) {
        Await.until("the holder has ended", () -> !Proc.alive(holder));
        assertFalse(Files.exists(own.daemon().directory().resolve("record")), "the record is there");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT", "HUP"})
  void withoutContainersItEndsInOrderToo(String signal) throws Exception {
    assumeNotIgnored(signal);
    try (var own = new OwnDaemon(BED.rootfs())) {
      var task = own.running("true");
      assertEquals(0, task.await("").getExitStatus());
      task.delete("");
      Proc.signal(own.pid(), signal);
      assertEndedInOrder(own, task, own.pid());
      task.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"PIPE", "CHLD", "CONT", "WINCH", "URG"})
  void whatIsIgnoredChangesNothing(String signal) {
    try (var own = new OwnDaemon(BED.rootfs(), TAKE_OVER); var task = own.running("sleep", "1000")) {
      Proc.signal(own.pid(), signal);
      assertEquals("RUNNING", task.state("").getStatus().name());
      assertEquals(own.pid(), task.connect().getShimPid());
    }
  }

  @Test
  void sigquitWritesTheThreadsOfTheOperatingSystemAndSigusr1AllOfThem() {
    try (var own = new OwnDaemon(BED.rootfs()); var task = own.running("sleep", "1000")) {
      Proc.signal(own.pid(), "QUIT");
      Await.until("the dump is there", () -> log(own).contains("Full thread dump"));
      Proc.signal(own.pid(), "USR1");
      Await.until("the other one is in the container's log",
          () -> task.bundle().log().contains("=== END thread stack dump ==="));
      assertTrue(task.bundle().log().contains("exit/" + task.id()), task.bundle().log());
      assertEquals("RUNNING", task.state("").getStatus().name());
      assertEquals(own.pid(), task.connect().getShimPid());
    }
  }

  @Test
  void aStoppedDaemonHoldsUpItsClientsUntilItGoesOn() throws Exception {
    try (var own = new OwnDaemon(BED.rootfs(), TAKE_OVER); var task = own.running("sleep", "1000")) {
      Proc.signal(own.pid(), "STOP");
      Await.until("it has stopped", () -> Proc.info(own.pid()).orElseThrow().state() == 'T');
      var state = Await.meanwhile(() -> task.state(""));
      Proc.signal(own.pid(), "CONT");
      assertEquals("RUNNING", state.get(60, TimeUnit.SECONDS).getStatus().name());
      assertEquals(own.pid(), task.connect().getShimPid());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"KILL", "ABRT", "SEGV", "ALRM"})
  void anyOtherDeathIsTakenOver(String signal) {
    try (var own = new OwnDaemon(BED.rootfs(), TAKE_OVER); var task = own.running("sleep", "1000")) {
      long pid = own.pid();
      Proc.signal(pid, signal);
      Await.until("the daemon is dead", () -> !Proc.alive(pid));
      assertEquals("RUNNING", task.state("").getStatus().name());
      assertNotEquals(pid, task.connect().getShimPid());
      assertEquals(own.current(), task.connect().getShimPid());
    }
  }

  @Test
  void withoutTakeOverADeathClosesTheConnections() {
    try (var own = new OwnDaemon(BED.rootfs()); var task = own.running("sleep", "1000")) {
      int container = task.connect().getTaskPid();
      own.kill();
      Await.until("the connection is closed", task::disconnected);
      assertTrue(Proc.alive(container), "the container has ended");
      assertTrue(Files.exists(Path.of("/proc", Integer.toString(container))));
    }
  }
}
