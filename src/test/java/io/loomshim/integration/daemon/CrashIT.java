package io.loomshim.integration.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The end of a daemon that serves many containers; the bed looks for processes, mounts and cgroups afterwards. */
@Timeout(300)
final class CrashIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final int CONTAINERS = Boolean.getBoolean("loomshim.long") ? 200 : 50;
  private static final int AT_ONCE = 10;

  @BeforeAll
  static void ours() {
    Shim.assumeOurs("a Go shim serves one container each");
  }

  /** Starts so many containers, and returns their ids. */
  private static List<String> containers() {
    var ids = new ArrayList<String>();
    for (int begun = 0; begun < CONTAINERS; begun += AT_ONCE) {
      var starts = new ArrayList<Exec>();
      for (int i = 0; i < AT_ONCE; i++) {
        String id = Names.id("crash");
        ids.add(id);
        starts.add(BED.ctr().start(Shim.tested(), List.of("--detach"), Exec.Setting.NO_STDIN, id, "sleep", "100000"));
      }
      starts.forEach(start -> start.await(Ctr.LIMIT).ok());
    }
    assertEquals(Set.of("RUNNING"), new HashSet<>(BED.ctr().tasks().values()));
    return ids;
  }

  private static Install.Daemon daemonOf(String id) throws IOException {
    long pid = Proc.info(BED.ctr().pid(id)).orElseThrow().parent();
    Path address = BED.containerd().bundle(BED.ctr().namespace(), id).resolve("address");
    return Install.get().daemonOf(Path.of(Files.readString(address).substring("unix://".length())), pid);
  }

  /**
   * containerd takes the containers of a daemon that has gone for dead, and removes them. A clean-up that is not over
   * in its time is killed, and containerd says so.
   */
  private static void assertCleanedUp(List<String> ids, Install.Daemon daemon, Iterable<Long> inits)
      throws IOException {
    var start = Instant.now();
    for (String id : ids) {
      Path bundle = BED.containerd().bundle(BED.ctr().namespace(), id);
      Await.until(bundle + " is gone", () -> !Files.exists(bundle)); // the end of a clean-up
    }
    var took = Duration.between(start, Instant.now());
    System.out.println(ids.size() + " containers were cleaned up within " + took.toMillis() + " ms");
    assertFalse(BED.ctr().tasks().containsValue("RUNNING"));
    for (long init : inits) {
      Await.until("process " + init + " is gone", () -> !Proc.alive(init));
    }
    String log = BED.containerd().log();
    for (String bad : List.of("failed to clean up after shim", "signal: killed", "failed to delete dead")) {
      assertFalse(log.contains(bad), () -> log.lines().filter(line -> line.contains(bad)).findFirst().orElseThrow());
    }
    Path socket = Path.of(daemon.address().substring("unix://".length()));
    Await.until(socket + " is gone", () -> !Files.exists(socket));
    for (String id : ids) {
      BED.ctr().call("tasks", "rm", "--force", id);
      BED.ctr().deleteContainer(id).ok();
    }
    // the fifos are ctr's, and there is no task any more whose deletion would tell it
    for (var fifo : BED.directory().resolve("fifo").toFile().listFiles()) {
      Scratch.remove(fifo.toPath());
    }
    assertEquals("yes\n", BED.ctr().run(Shim.tested(), Names.id("next"), "echo", "yes").ok().text());
  }

  @Test
  void ofADaemonThatIsKilledContainerdRemovesEveryContainerInItsTimeAndNothingIsLeft()
      throws IOException {
    var ids = containers();
    var daemon = daemonOf(ids.getFirst());
    var inits = BED.ctr().pids().values();
    assertEquals(CONTAINERS, inits.size());
    Proc.kill(daemon.pid());
    assertCleanedUp(ids, daemon, inits);
  }

  @Test
  void aDaemonThatIsToldToEndSaysAllItKnowsAndLeavesTheRestToContainerd() throws IOException {
    var ids = containers();
    var daemon = daemonOf(ids.getFirst());
    var inits = BED.ctr().pids().values();
    long exits = BED.containerd().forwarded(BED.ctr().namespace(), "/tasks/exit");
    BED.ctr().kill(ids.getFirst(), "KILL").ok();
    Await.status(BED.ctr(), ids.getFirst(), "STOPPED");
    Proc.terminate(daemon.pid());
    Await.until("the daemon has ended", () -> !daemon.alive());
    assertTrue(BED.containerd().forwarded(BED.ctr().namespace(), "/tasks/exit") > exits);
    assertFalse(Files.exists(daemon.directory().resolve("daemon")));
    assertCleanedUp(ids, daemon, inits);
  }
}
