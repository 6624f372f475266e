package io.loomshim.integration.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Typist;
import io.loomshim.ttrpc.Redo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A daemon that is killed with SIGKILL: with take_over its clients see a pause, and nothing else. */
final class TakeOverIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final int SIGUSR1 = 10;
  private static final Map<String, String> SETTINGS = Map.of("take_over", "true");

  @BeforeAll
  static void ours() {
    Shim.assumeOurs("no other shim is taken over");
  }

  private static Exec cat(Path fifo) {
    return Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), List.of("cat", fifo.toString()));
  }

  /** Whether the process has a handler for the signal. */
  private static boolean catches(long pid, int signal) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
        if (line.startsWith("SigCgt:")) {
          return (Long.parseUnsignedLong(line.substring(8).strip(), 16) >> signal - 1 & 1) == 1;
        }
      }
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void waitsAndContainersGoOn() throws Exception {
    try (var own = new OwnDaemon(BED.rootfs(), SETTINGS); var task = own.running("sleep", "1000")) {
      int pid = task.state("").getPid();
      task.exec("probe", "sleep", "1000");
      task.start("probe");
      var wait = Await.meanwhile(() -> task.await("").getExitStatus());
      var execWait = Await.meanwhile(() -> task.await("probe").getExitStatus());
      long first = own.current();
      for (int i = 0; i < 2; i++) {
        own.kill();
        assertEquals("RUNNING", task.state("").getStatus().name());
      }
      assertNotEquals(first, own.current());
      assertEquals(own.current(), task.connect().getShimPid());
      assertEquals(pid, task.connect().getTaskPid());
      assertEquals("RUNNING", task.state("probe").getStatus().name());
      task.exec("late", "sh", "-c", "exit 3");
      task.start("late");
      assertEquals(3, task.await("late").getExitStatus());
      task.kill(9, "probe");
      assertEquals(137, execWait.get(30, TimeUnit.SECONDS));
      task.delete("probe");
      task.kill(15, "");
      task.kill(9, "");
      assertTrue(wait.get(30, TimeUnit.SECONDS) > 128);
      task.delete("");
      try (var next = own.running("true")) {
        assertEquals(0, next.await("").getExitStatus());
      }
    }
  }

  @Test
  void streamsGoOnByteForByte() throws Exception {
    Path in = Bundle.fifo(BED.directory().resolve("in"));
    Path out = Bundle.fifo(BED.directory().resolve("out"));
    var reader = cat(out);
    try (var own = new OwnDaemon(BED.rootfs(), SETTINGS);
        var task = own.open("sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i + 1)); done; exec cat")) {
      task.create(r -> r.setStdin(in.toString()).setStdout(out.toString()));
      task.start();
      own.kill();
      assertEquals("RUNNING", task.state("").getStatus().name());
      var writer = Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of(), Exec.Setting.PIPE),
          List.of("sh", "-c", "exec cat > " + in));
      writer.feed("the end\n".getBytes(StandardCharsets.UTF_8));
      writer.await(Ctr.LIMIT).ok();
      Await.until("all has come", () -> reader.output().endsWith("the end\n"));
      task.closeIo("");
      assertEquals(0, task.await("").getExitStatus());
      task.delete("");
      var expected = new StringBuilder();
      for (int i = 0; i < 20000; i++) {
        expected.append(i).append('\n');
      }
      assertEquals(expected + "the end\n", reader.await(Ctr.LIMIT).ok().text());
    }
  }

  @Test
  void aTerminalGoesOn() throws Exception {
    try (var own = new OwnDaemon(BED.rootfs(), SETTINGS); var typist = new Typist(BED.directory(), "terminal");
        var task = own.open(own.shims().bundle("terminal", "sh", "-c",
            "stty -echo; echo ready; while read line; do echo got $line; done").withTerminal())) {
      task.create(typist::on);
      task.start();
      typist.awaitOutput("ready\r\n");
      own.kill();
      task.resize("", 100, 30);
      typist.type("one\n");
      typist.awaitOutput("got one\r\n");
      assertEquals("RUNNING", task.state("").getStatus().name());
    }
  }

  @Test
  void anEndThatNoDaemonSawIsToldAsItWas() throws Exception {
    try (var own = new OwnDaemon(BED.rootfs(), SETTINGS);
        var task = own.running("sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.05; done")) {
      int pid = task.state("").getPid();
      Await.until("the trap is set", () -> catches(pid, 15));
      var wait = Await.meanwhile(() -> task.await("").getExitStatus());
      assertEquals("RUNNING", task.state("").getStatus().name());
      own.kill(() -> {
        Proc.signal(pid, "TERM");
        Await.until("it has ended", () -> !Proc.alive(pid));
      });
      assertEquals(7, wait.get(30, TimeUnit.SECONDS));
      task.delete("");
    }
  }

  @Test
  void theThirdDeathWithinAMinuteIsTheLast() throws Exception {
    try (var own = new OwnDaemon(BED.rootfs(), SETTINGS); var task = own.running("sleep", "1000")) {
      long holder = own.holder();
      own.kill();
      task.state("");
      own.kill();
      task.state("");
      own.kill();
      Await.until("the connection is closed", task::disconnected);
      Await.until("the holder has ended", () -> !Proc.alive(holder));
    }
  }

  @Test
  void aRecordThatCannotBeReadIsGivenUp() throws Exception {
    try (var own = new OwnDaemon(BED.rootfs(), SETTINGS); var task = own.running("sleep", "1000")) {
      long holder = own.holder();
      Files.writeString(own.daemon().directory().resolve("record"), "this is no record at all, is it?");
      own.kill();
      Await.until("the connection is closed", task::disconnected);
      Await.until("the holder has ended", () -> !Proc.alive(holder));
    }
  }

  @Test
  void aHolderThatIsLostIsReplaced() throws Exception {
    try (var own = new OwnDaemon(BED.rootfs(), SETTINGS); var task = own.running("sleep", "1000")) {
      long holder = own.holder();
      Proc.kill(holder);
      Await.until("there is another holder", () -> own.holder() != holder);
      own.kill();
      assertEquals("RUNNING", task.state("").getStatus().name());
    }
  }

  @Test
  void aCreationUnderWayIsUndoneAndItsCallerTold() throws Exception {
    var slowly = FaultyRunc.options(BED.directory(), "create", "sleep 4711\nexec runc \"$@\"");
    try (var own = new OwnDaemon(BED.rootfs(), SETTINGS); var task = own.running("sleep", "1000");
        var late = own.open("sleep", "1000")) {
      var creation = late.creating(slowly);
      Await.until("runc runs", () -> Proc.all().values().stream()
          .anyMatch(process -> process.commandLine().contains("sleep 4711")));
      own.kill();
      assertEquals("14 " + Redo.IN_DOUBT, creation.get(60, TimeUnit.SECONDS));
      assertEquals("RUNNING", task.state("").getStatus().name());
      late.create();
      late.start();
      assertEquals("RUNNING", late.state("").getStatus().name());
    }
  }

  /** Kills at random moments, of which there are more within a minute than a holder allows otherwise. */
  @Test
  void aStormOfKillsCostsNoStatusNoByteAndNoCallItsAnswer() throws Exception {
    long seed = Long.getLong("loomshim.seed", System.nanoTime());
    var random = new Random(seed);
    int kills = Boolean.getBoolean("loomshim.long") ? 100 : 8;
    Path out = Bundle.fifo(BED.directory().resolve("storm"));
    var reader = cat(out);
    var settings = Map.of("take_over", "true", "java_options", "-Dloomshim.deaths.seconds=0");
    try (var own = new OwnDaemon(BED.rootfs(), settings);
        var task = own.open("sh", "-c",
            "i=0; trap 'end=yes' USR1; while [ -z \"$end\" ]; do echo $i; i=$((i + 1)); sleep 0.01; done; exit 9")) {
      task.create(r -> r.setStdout(out.toString()));
      task.start();
      var wait = Await.meanwhile(() -> task.await("").getExitStatus());
      var pauses = new ArrayList<Long>();
      int told = 0;
      int unsure = 0;
      for (int i = 0; i < kills; i++) {
        int round = i;
        long delay = random.nextInt(400);
        var killed = Await.meanwhile(() -> {
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(delay));
          own.kill();
          return System.nanoTime();
        });
        for (int n = 0; !killed.isDone() || n == 0; n++) {
          String exec = "e" + round + "-" + n;
          String problem = ShimClient.failure(() -> {
            task.exec(exec, "sh", "-c", "exit " + (round + 1));
            task.start(exec);
            assertEquals(round + 1, task.await(exec).getExitStatus(), "seed " + seed);
            task.delete(exec);
          });
          boolean inDoubt = problem.startsWith("14 ") || problem.endsWith(Redo.IN_DOUBT);
          assertTrue(problem.startsWith("no error") || inDoubt, "seed " + seed + ": " + problem);
          told += inDoubt ? 0 : 1;
          unsure += inDoubt ? 1 : 0;
        }
        long at = killed.get(60, TimeUnit.SECONDS);
        assertEquals("RUNNING", task.state("").getStatus().name(), "seed " + seed);
        pauses.add((System.nanoTime() - at) / 1_000_000);
      }
      System.err.println("seed " + seed + ": " + told + " execs told, " + unsure + " in doubt, pauses in ms " + pauses);
      task.kill(SIGUSR1, "");
      assertEquals(9, wait.get(60, TimeUnit.SECONDS));
      task.delete("");
      String[] lines = reader.await(Ctr.LIMIT).ok().text().split("\n");
      for (int i = 0; i < lines.length; i++) {
        assertEquals(Integer.toString(i), lines[i], "seed " + seed);
      }
      assertTrue(lines.length > 100);
    }
  }

  @Test
  void aDaemonThatEndsInOrderIsNotTakenOver() throws Exception {
    try (var own = new OwnDaemon(BED.rootfs(), SETTINGS); var task = own.running("sleep", "1000")) {
      long holder = own.holder();
      own.kill();
      task.end();
      long pid = own.current();
      Proc.terminate(pid);
      Await.until("the daemon has ended", () -> !Proc.alive(pid));
      Await.until("the holder has ended", () -> !Proc.alive(holder));
      assertTrue(task.disconnected() || Await.within(Await.LIMIT, task::disconnected));
    }
  }
}
