package io.loomshim.integration.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Shim;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A daemon that takes over is cold, and clients wait for it: it must not have to make or read classes. */
final class TakeOverClassesIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  @BeforeAll
  static void ours() {
    Shim.assumeOurs("no other shim is taken over");
  }

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
}
