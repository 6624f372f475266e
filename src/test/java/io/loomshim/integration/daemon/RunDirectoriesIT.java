package io.loomshim.integration.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import io.loomshim.proto.task.DeleteResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Nothing where daemons and starts meet grows with the containers that ever ran. */
@Timeout(3600)
final class RunDirectoriesIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  /** As many as a daemon that ends keeps of all that have: DeadDirectories. */
  private static final int LOGS_MAX = 8;
  private static final int PODS = Boolean.getBoolean("loomshim.long") ? 1000 : 4;
  private static final int CONTAINERS = Boolean.getBoolean("loomshim.long") ? 1000 : 20;

  @BeforeEach
  void ours() {
    Shim.assumeOurs("Go shims have no run directories");
  }

  /**
   * All files below {@code directory} with their sizes. Logs may grow, and the record until it is compacted; those of
   * ended daemons are kept by a number that has a limit, and a containerd is remembered.
   */
  private static Map<String, Long> files(Path directory) {
    var files = new TreeMap<String, Long>();
    try (var paths = Files.walk(directory)) {
      for (Path path : paths.toList()) {
        String name = directory.relativize(path).toString();
        if (!name.startsWith("heirs/") && !name.startsWith("options") && !name.startsWith("ended")) {
          boolean grows = Files.isDirectory(path) || name.contains(".log") || name.equals("record");
          files.put(name, grows ? 0 : Files.size(path));
        }
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return files;
  }

  /** The life of one container; {@code delete} is asked after the daemon has answered, as containerd does. */
  private static void live(Shims shims, Bundle bundle, ShimClient task) {
    task.create();
    task.start();
    assertEquals(0, task.await("").getExitStatus());
    task.delete("");
    task.shutdown();
    var result = shims.delete(Shim.tested(), bundle);
    try {
      assertEquals(0, DeleteResponse.parseFrom(result.out()).getExitStatus());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    task.close();
  }

  @Test
  void podsThatRanOneAfterAnotherLeaveTheRunDirectoryAsItWas() throws IOException {
    Path run = Files.createDirectory(BED.directory().resolve("r"));
    for (int i = 0; i < PODS; i++) {
      var settings = Map.of("mode", "pod", "linger_seconds", "0", "run_dir", run.toString());
      try (var own = new OwnDaemon(BED.rootfs(), settings)) {
        var bundle = own.shims().bundle(Names.id("pod"), "true");
        live(own.shims(), bundle, own.open(bundle));
        Await.until("the daemon has ended", () -> !own.daemon().alive());
        assertEquals(List.of("", "heirs"), List.copyOf(files(run).keySet()));
        String[] logs = run.resolve("ended").toFile().list();
        assertTrue(logs == null || logs.length <= LOGS_MAX, Arrays.toString(logs));
      }
    }
  }

  @Test
  void containersThatRanOneAfterAnotherLeaveTheRunDirectoryOfTheirDaemonAsItWas() {
    try (var own = new OwnDaemon(BED.rootfs())) {
      Map<String, Long> first = null;
      for (int i = 0; i <= CONTAINERS; i++) {
        var bundle = own.shims().bundle(Names.id("one"), "true");
        live(own.shims(), bundle, own.open(bundle));
        first = first == null ? files(own.daemon().directory()) : first;
      }
      assertEquals(first, files(own.daemon().directory()));
    }
  }

  @Test
  void whatAKilledDaemonHasLeftIsGoneAfterTheNextStartAnywhereButItsLastWords() throws IOException {
    Path run = Files.createDirectory(BED.directory().resolve("killed"));
    var settings = Map.of("run_dir", run.toString());
    Path dead;
    try (var own = new OwnDaemon(BED.rootfs(), settings)) {
      var task = own.running("sleep", "1000");
      dead = own.daemon().directory();
      Files.writeString(dead.resolve("hs_err.log"), "last words");
      Proc.kill(own.pid());
      Await.until("the daemon is gone", () -> !own.daemon().alive());
      own.shims().delete(Shim.tested(), task.bundle());
      task.close();
    }
    assertTrue(Files.exists(dead));
    try (var own = new OwnDaemon(BED.rootfs(), settings)) {
      var task = own.running("sleep", "1000");
      Await.until("the directory is gone", () -> !Files.exists(dead));
      task.end();
      task.close();
    }
    assertEquals("last words", Files.readString(run.resolve("ended/" + dead.getFileName() + ".hs_err.log")));
  }
}
