package io.loomshim.integration.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import java.io.RandomAccessFile;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a daemon has and can do that takes over and has just been started. */
final class ColdTakeOverIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  /** Open files that a program has by default. */
  private static final int SOFT = 100;

  @BeforeAll
  static void ours() {
    Shim.assumeOurs("no other shim is taken over");
  }

  /** Clients wait for it, so it must not have to make or read classes. */
  @Test
  void everyClassThatATakeOverNeedsComesFromTheArchive() throws Exception {
    assumeFalse(Install.JFR, "the classes that record are not in the archive: run without -Dloomshim.jfr");
    Path log = BED.directory().resolve("classes");
    Path out = Bundle.fifo(BED.directory().resolve("out"));
    try (var reader = new RandomAccessFile(out.toFile(), "rw");
        var own = new OwnDaemon(BED.rootfs(),
            Map.of("take_over", "true", "java_options", "-Xlog:class+load:file=" + log + "-%p"));
        var task = own.open("sleep", "1000")) {
      task.create(r -> r.setStdout(out.toString()));
      task.start();
      task.exec("probe", "sleep", "1000");
      task.start("probe");
      var wait = Await.meanwhile(() -> task.await("probe").getExitStatus());
      own.kill();
      assertEquals("RUNNING", task.state("").getStatus().name());
      task.kill(9, "probe");
      assertEquals(137, wait.get(30, TimeUnit.SECONDS));
      List<String> loaded = Files.readAllLines(Path.of(log + "-" + own.current()));
      assertTrue(loaded.stream().anyMatch(line -> line.contains(" io.loomshim.container.Restoration ")));
      List<String> made = loaded.stream().filter(line -> line.contains(" java.lang.runtime.ObjectMethods ")
          || line.contains(" io.loomshim.") && !line.contains("source: shared objects file")).toList();
      assertEquals(List.of(), made, () -> String.join("\n", made));
    }
  }

  /** With systemd's limits it is started with 1024, as everything is that a daemon starts. */
  @Test
  void oneThatHadMoreFilesOpenThanProgramsMayByDefaultIsTakenOver() throws Exception {
    var peers = new ArrayList<SocketChannel>();
    try (var own = new OwnDaemon(BED.rootfs(), Map.of("take_over", "true")); var task = own.running("sleep", "1000")) {
      for (int i = 0; i < SOFT; i++) {
        peers.add(SocketChannel.open(UnixDomainSocketAddress.of(task.socket())));
      }
      Await.until("it has them all", () -> Proc.fileCount(own.current()) > 2 * SOFT);
      Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), List.of("prlimit", "--nofile=" + SOFT
          + ":8192", "--pid", Long.toString(own.holder()))).await(Ctr.LIMIT).ok();
      own.kill();
      assertEquals("RUNNING", task.state("").getStatus().name());
      assertTrue(Proc.fileCount(own.current()) > 2 * SOFT);
    } finally {
      for (SocketChannel peer : peers) {
        peer.close();
      }
    }
  }
}
