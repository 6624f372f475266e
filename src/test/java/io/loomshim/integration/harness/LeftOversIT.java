package io.loomshim.integration.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The check for left-overs sees what is left, and takes it away. */
final class LeftOversIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  @Test
  void aContainerThatGoesOnIsSeenAndRemoved() {
    var before = BED.snapshot();
    String id = Names.id("stays");
    BED.ctr().detached(Shim.tested(), id, "sleep", "1000");
    long pid = BED.ctr().pid(id);
    var left = BED.snapshot().since(before);
    for (String part : List.of("process " + pid + " ", "cgroup ", "fifo ", "runc state ")) {
      assertTrue(left.stream().anyMatch(line -> line.startsWith(part)), () -> part + "is not in " + left);
    }
    BED.ctr().clear();
    Await.until("nothing is left", () -> BED.snapshot().since(before).isEmpty());
  }

  @Test
  void threadsOfTheJvmAreKnownByTheNamesOfEachJdk() {
    assertTrue(Proc.named("ForkJoinPool-1-", "ForkJoinPool"));
    assertTrue(Proc.named("ForkJoi..rker-1", "ForkJoinPool")); // from JDK 26 on
    assertTrue(Proc.named("JFR Rec..Thread", "JFR "));
    assertTrue(!Proc.named("poller", "ForkJoinPool"));
    assertTrue(!Proc.named("exit/we..rker-1", "ForkJoinPool"));
  }

  @Test
  void aMountAndAProcessAndACgroupAreSeenAndRemoved() throws IOException {
    var before = BED.snapshot();
    Path point = Files.createDirectory(BED.directory().resolve("point"));
    var setting = new Exec.Setting(BED.directory(), Map.of());
    Exec.start(BED.directory(), setting, List.of("mount", "-t", "tmpfs", "none", point.toString()))
        .await(Duration.ofSeconds(10)).ok();
    var process = Exec.start(BED.directory(), setting, List.of("sleep", "1000"));
    Path parent = Files.createDirectories(Path.of("/sys/fs/cgroup/pids", Names.namespace()));
    Path cgroup = Files.createDirectory(parent.resolve("left"));
    var now = BED.snapshot();
    var left = now.since(before);
    assertEquals(3, left.size(), left::toString);
    assertTrue(left.contains("mount " + point), left::toString);
    assertTrue(left.contains("cgroup " + cgroup), left::toString);
    now.removeSince(before);
    Await.until("nothing is left", () -> BED.snapshot().since(before).isEmpty());
    assertTrue(!process.running());
  }
}
