package io.loomshim.integration.stdio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import io.loomshim.integration.harness.Vitals;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.task.CreateTaskRequest;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Containers and logs that write more than anybody reads: the daemon neither waits nor grows. */
@Timeout(120)
final class BackPressureIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final String[] FLOOD = {"sh", "-c", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"};
  /** On a slow machine that does other things as well. */
  private static final Duration PROMPT = Await.seconds(20);
  private static final long LOG_BYTES_MAX = (1 << 20) + (64 << 10);
  private static final int DUMPS = Boolean.getBoolean("loomshim.long") ? 400 : 60;

  /** Delete waits for a copy that nobody reads, with a limit; without {@code waits} the reader goes before that. */
  private void flood(Bundle bundle, boolean waits, UnaryOperator<CreateTaskRequest.Builder> more) throws IOException {
    Shim.assumeOurs("it is about our daemon");
    Path stdout = Bundle.fifo(bundle.path().resolve("stdout"));
    try (var task = BED.shims().start(Shim.tested(), bundle); var other = other()) {
      // a reader that never reads; the test's own descriptor of both directions
      try (var holder = new RandomAccessFile(stdout.toFile(), "rw")) {
        assertTrue(holder.getFD().valid());
        task.create(r -> more.apply(r.setStdout(stdout.toString())));
        long pid = task.start();
        var before = Vitals.of(task.connect().getShimPid());
        Await.until("the container is held up", () -> Proc.info(pid).orElseThrow().state() == 'S');
        var start = Instant.now();
        for (int i = 0; i < 100; i++) {
          assertEquals("RUNNING", other.state("").getStatus().toString());
          assertEquals("RUNNING", task.state("").getStatus().toString());
        }
        other.exec("e", "true");
        other.start("e");
        assertEquals(0, other.await("e").getExitStatus());
        other.delete("e");
        var took = Duration.between(start, Instant.now());
        assertTrue(took.compareTo(PROMPT) < 0, () -> "200 State calls and an exec took " + took);
        before.assertKept();
        task.kill(ShimClient.KILL, "");
        assertEquals(137, task.await("").getExitStatus());
        if (waits) {
          task.delete("");
        }
      }
      if (!waits) {
        task.delete("");
      }
    }
  }

  private static ShimClient other() {
    var other = BED.shims().start(Shim.tested(), BED.shims().bundle(Names.id("other"), "sleep", "1000"));
    other.create();
    other.start();
    return other;
  }

  @Test
  void aContainerThatFillsItsFifoHoldsUpItselfAlone() throws IOException {
    flood(BED.shims().bundle(Names.id("full"), FLOOD), true, r -> r);
  }

  @Test
  void aContainerThatFillsItsTerminalHoldsUpItselfAlone() throws IOException {
    flood(BED.shims().bundle(Names.id("full"), FLOOD).withTerminal(), true, r -> r.setTerminal(true));
  }

  @Test
  void aContainerThatFillsAPipeOfItsOwnHoldsUpItselfAlone() throws IOException {
    var options = Options.newBuilder().setIoUid(1).setIoGid(1).build();
    flood(BED.shims().bundle(Names.id("full"), FLOOD), false,
        r -> r.setOptions(Shims.any("containerd.runc.v1.Options", options)));
  }

  @Test
  void aLogThatNobodyReadsTakesNoMemoryAndNoMoreThanAMebibyteOfDisk() throws IOException {
    Shim.assumeOurs("it is about our daemon");
    try (var own = new OwnDaemon(BED.rootfs())) {
      var bundle = own.shims().bundle(Names.id("log"), "sleep", "1000");
      Path log = bundle.path().resolve("log");
      // the test holds a reader that never reads
      try (var holder = new RandomAccessFile(log.toFile(), "rw"); var task = own.open(bundle)) {
        assertTrue(holder.getFD().valid());
        bundle.leaveLog();
        task.create();
        task.start();
        dumps(own.pid(), 2);
        var before = Vitals.of(own.pid());
        dumps(own.pid(), DUMPS);
        assertEquals("RUNNING", task.state("").getStatus().toString());
        before.assertKept();
        assertTrue(Files.size(own.daemon().directory().resolve("daemon.log")) <= LOG_BYTES_MAX);
        task.kill(ShimClient.KILL, "");
        assertEquals(137, task.await("").getExitStatus());
      }
    }
  }

  /** Each writes all threads with their stacks into the log, some twenty kilobytes. */
  private static void dumps(long pid, int count) {
    var command = List.of("sh", "-c", "for i in $(seq " + count + "); do kill -USR1 " + pid + "; sleep 0.05; done");
    Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), command).await(Ctr.LIMIT).ok();
  }
}
