package io.loomshim.integration.containerd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Containers that come to the shim of their sandbox without a start of their own, as containerd 2 sends them. */
final class SandboxIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();

  @BeforeEach
  void needsOurShim() {
    Shim.assumeOurs("the Go shims of version 2 serve no such containers");
  }

  private static ShimClient sandbox() {
    var task = BED.shims().start(SHIM, BED.shims().bundle(Names.id("pod"), "sleep", "1000"));
    task.create();
    task.start();
    return task;
  }

  private static ShimClient member(ShimClient sandbox, String... command) throws IOException {
    var bundle = BED.shims().bundle(Names.id("member"), command);
    Files.writeString(bundle.path().resolve("sandbox"), sandbox.id());
    var task = BED.shims().join(sandbox, SHIM, bundle);
    task.create();
    task.start();
    return task;
  }

  @Test
  void aContainerWithoutAStartLivesAndItsBundleTellsOfTheDaemon() throws IOException {
    try (var pod = sandbox(); var task = member(pod, "sh", "-c", "sleep 1000 & wait")) {
      Path bundle = task.bundle().path();
      for (String name : List.of("address", "shim.pid", "loom.run")) {
        assertEquals(Files.readString(pod.bundle().path().resolve(name)), Files.readString(bundle.resolve(name)));
      }
      assertEquals("containerd.task.v3.Task", task.service());
      assertEquals(pod.connect().getShimPid(), task.connect().getShimPid());
      assertEquals(task.state("").getPid(), task.connect().getTaskPid());
      task.exec("e", "sh", "-c", "exit 4");
      task.start("e");
      assertEquals(4, task.await("e").getExitStatus());
      task.delete("e");
      assertEquals(2, task.pids().getProcessesCount());
      task.kill(ShimClient.KILL, "");
      task.await("");
      var answer = task.delete("");
      assertEquals(137, answer.getExitStatus());
      // after a restart, containerd runs the program's delete for these, too
      assertArrayEquals(answer.toByteArray(), BED.shims().delete(SHIM, task.bundle()).out());
      assertEquals("RUNNING", pod.state("").getStatus().toString());
    }
  }

  @Test
  void aContainerOutlivesItsSandboxUntilItIsDeleted() throws IOException {
    try (var pod = sandbox(); var task = member(pod, "sleep", "1000")) {
      assertEquals(137, pod.end());
      pod.shutdown();
      assertEquals("RUNNING", task.state("").getStatus().toString());
      assertEquals(137, task.end());
    }
  }

  @Test
  void whatADaemonThatDiedLeavesOfASandboxGoesWithTheSandbox() throws IOException {
    try (var pod = sandbox(); var task = member(pod, "sleep", "1000"); var other = sandbox()) {
      int member = task.state("").getPid();
      int stranger = other.state("").getPid();
      Proc.kill(pod.connect().getShimPid());
      Await.until("the daemon has ended", pod::disconnected);
      BED.shims().delete(SHIM, pod.bundle()).ok();
      Await.until("the process of the member ends", () -> !Proc.alive(member));
      assertTrue(Proc.alive(stranger));
    }
  }

  @Test
  void containerd2SendsTheContainersOfASandboxToItsShim() throws IOException {
    assumeTrue(Containerd.version()[0] >= 2, "needs containerd 2, which rows of integration/matrix.tsv have");
    var settings = Install.get().settings();
    settings.put("task_api", "3");
    Install.get().configure(settings);
    try {
      live(BED.ctr());
    } finally {
      Install.get().configure(Map.copyOf(Install.get().settings()));
    }
  }

  private static void live(Ctr ctr) throws IOException {
    String pod = Names.id("pod");
    // ctr records the sandbox; that its controller knows nothing of it is as it should be
    Path config = Files.writeString(BED.directory().resolve("pod.json"), "{\"ociVersion\":\"1.0.0\"}");
    var recorded = ctr.call("sandboxes", "run", "--runtime", SHIM.runtime(), config.toString(), pod);
    assertTrue(recorded.errors().contains("failed to start"), recorded::toString);
    ctr.run(SHIM, List.of("--detach", "--null-io"), pod, "sleep", "1000").ok();
    String quick = Names.id("quick");
    String late = Names.id("late");
    for (String id : List.of(quick, late)) {
      ctr.run(SHIM, List.of("--detach", "--null-io", "--sandbox", pod), id, "sleep", "1000").ok();
      Path bundle = BED.containerd().bundle(ctr.namespace(), id);
      assertEquals(pod, Files.readString(bundle.resolve("sandbox")));
      assertTrue(Files.readString(bundle.resolve("bootstrap.json")).contains("\"version\":3"), "no version 3");
      assertEquals(Files.readString(BED.containerd().bundle(ctr.namespace(), pod).resolve("loom.run")),
          Files.readString(bundle.resolve("loom.run")));
    }
    assertEquals(137, ctr.end(quick));
    BED.containerd().crash();
    BED.containerd().restart();
    assertEquals("RUNNING", ctr.status(pod));
    assertEquals("RUNNING", ctr.status(late));
    assertEquals(137, ctr.end(late));
    assertFalse(BED.containerd().logTail().contains("failed to delete"), BED.containerd()::logTail);
    String lost = Names.id("lost");
    ctr.run(SHIM, List.of("--detach", "--null-io", "--sandbox", pod), lost, "sleep", "1000").ok();
    long pid = ctr.pid(lost);
    Proc.kill(Proc.info(pid).orElseThrow().parent());
    Await.until("the process goes with its sandbox", () -> !Proc.alive(pid));
    Await.until("no task runs", () -> !ctr.tasks().containsValue("RUNNING"));
    ctr.clear();
  }
}
