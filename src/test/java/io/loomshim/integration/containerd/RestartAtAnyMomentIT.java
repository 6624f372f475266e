package io.loomshim.integration.containerd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.HeldRunc;
import io.loomshim.integration.harness.Inspect;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.DeleteResponse;
import io.loomshim.ttrpc.Client;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * containerd is killed in the middle of a step of a container's life, and started again before or after the shim is
 * done with that step. Afterwards the container can be used, or it is gone; either way its name can be used again.
 */
@Tag("any-jdk")
@Timeout(180)
final class RestartAtAnyMomentIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();

  private static List<String> flags(HeldRunc runc) {
    var flags = new ArrayList<>(List.of("--detach"));
    flags.addAll(runc.flags(SHIM));
    return flags;
  }

  /** Kills containerd while {@code client} waits for the held command, and starts it again. */
  private static void restart(HeldRunc runc, Exec client, boolean shimIsFirst) {
    runc.awaitHeld();
    BED.containerd().crash();
    client.await(Ctr.LIMIT);
    if (shimIsFirst) {
      runc.release();
      BED.containerd().restart();
    } else {
      BED.containerd().restart();
      runc.release();
    }
  }

  /** Whatever has become of the container, it can be removed, and then another one of its name runs. */
  private static void canBeReplaced(String id) {
    Await.until(id + " is removed", () -> {
      BED.ctr().call("tasks", "rm", "--force", id);
      BED.ctr().deleteContainer(id);
      return !BED.ctr().tasks().containsKey(id)
          && BED.ctr().call("containers", "ls", "--quiet").text().lines().noneMatch(id::equals);
    });
    assertEquals("again\n", BED.ctr().run(SHIM, id, "echo", "again").ok().text());
  }

  @ParameterizedTest(name = "the shim is done first: {0}")
  @ValueSource(booleans = {true, false})
  void aRestartDuringTheStartOfAnExecLeavesARunningContainer(boolean shimIsFirst) {
    String id = Names.id("exec");
    var runc = new HeldRunc(BED.directory(), "exec");
    BED.ctr().run(SHIM, flags(runc), id, "sleep", "1000").ok();
    var client = BED.ctr().start(Exec.Setting.NO_STDIN, "tasks", "exec", "--fifo-dir",
        BED.directory().resolve("fifo").toString(), "--exec-id", "e", id, "sleep", "1001");
    restart(runc, client, shimIsFirst);
    assertEquals("RUNNING", BED.ctr().status(id));
    var again = BED.ctr().call("tasks", "exec", "--fifo-dir", BED.directory().resolve("fifo").toString(),
        "--exec-id", "f", id, "echo", "usable");
    assertEquals("usable\n", again.ok().text());
    assertEquals(137, BED.ctr().end(id));
    canBeReplaced(id);
  }

  /**
   * The call is given up with its client and what it has begun is undone, so there is no container. containerd before
   * 1.7 keeps a task for every bundle with an address where Connect succeeds.
   */
  @ParameterizedTest(name = "the shim is done first: {0}")
  @ValueSource(booleans = {true, false})
  void aRestartDuringCreateLeavesNoContainer(boolean shimIsFirst) throws Exception {
    Shim.assumeOurs("containerd 1.6 keeps a task that the Go shim does not know, until that shim ends");
    String id = Names.id("create");
    // the undoing is held, too
    var runc = new HeldRunc(BED.directory(), "create", "delete");
    var client = BED.ctr().start(SHIM, flags(runc), Exec.Setting.NO_STDIN, id, "sleep", "1000");
    runc.awaitHeld();
    Path bundle = BED.containerd().bundle(BED.ctr().namespace(), id);
    long daemon = Long.parseLong(Files.readString(bundle.resolve("shim.pid")));
    BED.containerd().crash();
    client.await(Ctr.LIMIT);
    if (shimIsFirst) {
      runc.release();
      Await.until("the creation is undone", () -> inFlight(daemon, "Create") == 0);
      BED.containerd().restart();
    } else {
      var release = CompletableFuture.runAsync(() -> {
        Await.until("containerd asks for it", () -> inFlight(daemon, "Connect") == 1);
        runc.release();
      }, run -> Thread.ofVirtual().start(run));
      BED.containerd().restart();
      release.join();
    }
    isGone(id);
  }

  /** containerd has cleaned up by itself, and the name can be used. */
  private static void isGone(String id) {
    assertFalse(BED.ctr().tasks().containsKey(id));
    assertFalse(Files.exists(BED.containerd().bundle(BED.ctr().namespace(), id)));
    BED.ctr().deleteContainer(id).ok();
    assertEquals("again\n", BED.ctr().run(SHIM, id, "echo", "again").ok().text());
  }

  @Test
  void aDeleteThatContainerdDidNotHearOfIsFoundOut() throws Exception {
    Shim.assumeOurs("containerd 1.6 keeps a task that the Go shim does not know, until that shim ends");
    String id = Names.id("deleted");
    BED.ctr().run(SHIM, List.of("--detach", "--null-io"), id, "sleep", "1000").ok();
    BED.ctr().kill(id, "KILL").ok();
    Await.status(BED.ctr(), id, "STOPPED");
    Path bundle = BED.containerd().bundle(BED.ctr().namespace(), id);
    Path socket = Path.of(Files.readString(bundle.resolve("address")).replace("unix://", ""));
    BED.containerd().crash();
    try (var client = Client.connect(socket, Ctr.LIMIT)) {
      var request = DeleteRequest.newBuilder().setId(id).build();
      var answer = client.call("containerd.task.v2.Task", "Delete", request, DeleteResponse.parser(), Ctr.LIMIT,
          Map.of());
      assertEquals(137, answer.getExitStatus());
    }
    BED.containerd().restart();
    isGone(id);
  }

  private static long inFlight(long daemon, String method) {
    return Inspect.list(Inspect.look(daemon), "calls").stream().filter(c -> c.get("method").equals(method)).count();
  }

  @ParameterizedTest(name = "the shim is done first: {0}")
  @ValueSource(booleans = {true, false})
  void aRestartDuringDeleteLeavesWhatCanBeReplaced(boolean shimIsFirst) {
    String id = Names.id("delete");
    var runc = new HeldRunc(BED.directory(), "delete");
    BED.ctr().run(SHIM, flags(runc), id, "sleep", "1000").ok();
    BED.ctr().kill(id, "KILL").ok();
    Await.status(BED.ctr(), id, "STOPPED");
    restart(runc, BED.ctr().start(Exec.Setting.NO_STDIN, "tasks", "rm", id), shimIsFirst);
    canBeReplaced(id);
  }

  @Test
  void aRestartBetweenCreateAndStartLeavesWhatCanBeReplaced() {
    String id = Names.id("created");
    var runc = new HeldRunc(BED.directory(), "start");
    var client = BED.ctr().start(SHIM, flags(runc), Exec.Setting.NO_STDIN, id, "sleep", "1000");
    runc.awaitHeld();
    assertEquals("CREATED", BED.ctr().status(id));
    BED.containerd().crash();
    client.await(Ctr.LIMIT);
    BED.containerd().restart();
    assertTrue(BED.ctr().tasks().containsKey(id));
    runc.release();
    canBeReplaced(id);
  }

  /** The launcher waits for a JVM that comes up after containerd has gone, or after it has come back. */
  @ParameterizedTest(name = "the shim is done first: {0}")
  @ValueSource(booleans = {true, false})
  void aRestartWhileTheShimIsStartedLeavesNoTask(boolean shimIsFirst) throws IOException {
    Shim.assumeOurs("the Go shim starts no JVM");
    Path directory = Scratch.directory("slow");
    Path java = directory.resolve("java");
    Files.writeString(java, """
        #!/bin/sh
        true > '%1$s/held'
        while [ ! -e '%1$s/go' ]; do sleep 0.02; done
        exec '%2$s/bin/java' "$@"
        """.formatted(directory, Install.jdk()));
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    var ctr = BED.ctr().in(Names.namespace());
    String id = Names.id("jvm");
    Install.get().configure(Map.of("java", java.toString()));
    try {
      var client = ctr.start(SHIM, List.of("--detach"), Exec.Setting.NO_STDIN, id, "sleep", "1000");
      Await.until("the JVM is held", () -> Files.exists(directory.resolve("held")));
      BED.containerd().crash();
      client.await(Ctr.LIMIT);
      if (shimIsFirst) {
        Files.createFile(directory.resolve("go"));
        Path bundle = BED.containerd().bundle(ctr.namespace(), id);
        Await.until("the launcher is done", () -> Files.exists(bundle.resolve("loom.run")));
      }
      BED.containerd().restart();
    } finally {
      if (!shimIsFirst) {
        Files.createFile(directory.resolve("go"));
      }
      Install.get().configure(Map.of("java", Install.jdk() + "/bin/java"));
    }
    assertTrue(ctr.tasks().isEmpty(), () -> "there is " + ctr.tasks());
    ctr.deleteContainer(id).ok();
    assertEquals("again\n", ctr.run(SHIM, id, "echo", "again").ok().text());
    Scratch.remove(directory);
  }

  @Test
  void aRestartLeavesManyContainersAtTheirSteps() {
    var ids = new ArrayList<String>();
    for (int i = 0; i < 5; i++) {
      ids.add(Names.id("many"));
      BED.ctr().detached(SHIM, ids.getLast(), "sleep", "1000");
    }
    BED.ctr().kill(ids.get(0), "KILL").ok();
    Await.status(BED.ctr(), ids.get(0), "STOPPED");
    BED.ctr().call("tasks", "pause", ids.get(1)).ok();
    var pids = BED.ctr().pids();
    BED.containerd().crash();
    BED.containerd().restart();
    assertEquals(pids, BED.ctr().pids());
    assertEquals("STOPPED", BED.ctr().status(ids.get(0)));
    assertEquals("PAUSED", BED.ctr().status(ids.get(1)));
    BED.ctr().call("tasks", "resume", ids.get(1)).ok();
    assertEquals(137, BED.ctr().deleteTask(ids.get(0)));
    BED.ctr().deleteContainer(ids.get(0)).ok();
    for (String id : ids.subList(1, ids.size())) {
      assertEquals(137, BED.ctr().end(id));
    }
  }
}
