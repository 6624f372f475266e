package io.loomshim.integration.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A daemon that is killed while its run directory is full, which may be why it was killed. */
final class FullTakeOverIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  @BeforeAll
  static void ours() {
    Shim.assumeOurs("no other shim is taken over");
  }

  private static void shell(String line) {
    Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), List.of("sh", "-c", line))
        .await(Ctr.LIMIT).ok();
  }

  @Test
  void whatRunsGoesOnAndTheNextDaemonIsFound() throws Exception {
    Path directory = Scratch.directory("full");
    Path disk = Files.createDirectory(directory.resolve("d"));
    shell("mount -t tmpfs -o size=256k,mode=700 small " + disk);
    try (var own = new OwnDaemon(BED.rootfs(), Map.of("take_over", "true", "run_dir", disk.toString()));
        var task = own.running("sleep", "1000")) {
      long first = own.current();
      shell("cat /dev/zero > " + disk + "/filler 2> /dev/null || :");
      own.kill();
      assertEquals("RUNNING", task.state("").getStatus().name());
      long next = task.connect().getShimPid();
      assertNotEquals(first, next);
      assertEquals(next, own.current());
      task.kill(ShimClient.KILL, "");
      assertEquals(137, task.await("").getExitStatus());
      task.delete("");
      Files.delete(disk.resolve("filler"));
      try (var other = own.running("sleep", "1000")) {
        assertEquals(next, other.connect().getShimPid());
      }
    } finally {
      shell("umount -l " + disk);
    }
    Scratch.remove(directory);
  }
}
