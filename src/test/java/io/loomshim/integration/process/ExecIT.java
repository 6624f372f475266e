package io.loomshim.integration.process;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.proto.runc.ProcessDetails;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Processes that a client adds to a container. */
final class ExecIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final int TERM = 15;

  private static ShimClient running(Shim shim, String... command) {
    var task = BED.shims().start(shim, BED.shims().bundle(Names.id("exec"), command));
    task.create();
    task.start();
    return task;
  }

  private static String status(ShimClient task, String exec) {
    var state = task.state(exec);
    return state.getId() + " " + state.getStatus() + " " + (state.getPid() > 0) + " " + state.getExitStatus() + " "
        + (state.getExitedAt().getSeconds() < 0 ? state.getExitedAt().getSeconds() : "now");
  }

  private static List<String> events(ShimClient task, String lastTopic) {
    return BED.shims().sink().until(BED.shims().namespace(), task.id(), lastTopic).stream()
        .map(e -> e.topic() + " " + e.process().replace(task.id(), "ID") + " " + e.status()).toList();
  }

  @Test
  void theLifeOfAnExecLooksTheSameAtEveryStep() {
    var steps = Differential.same(shim -> {
      var seen = new ArrayList<String>();
      try (var task = running(shim, "sleep", "1000")) {
        task.exec("e1", "sh", "-c", "exit 7");
        seen.add(status(task, "e1"));
        seen.add("" + (task.start("e1") > 0));
        seen.add("" + task.await("e1").getExitStatus());
        seen.add(status(task, "e1"));
        seen.add(failure(() -> task.start("e1")));
        seen.add(failure(() -> task.kill(TERM, "e1")));
        seen.add("" + task.delete("e1").getExitStatus());
        seen.add(failure(() -> task.state("e1")));
        task.end();
        seen.addAll(events(task, "/tasks/delete"));
        return seen;
      }
    });
    assertEquals("e1 CREATED false 0 -62135596800", steps.get(0));
    assertTrue(steps.contains("/tasks/exit e1 7"), steps::toString);
  }

  @Test
  void anIdThatIsInUseIsRefused() {
    String error = Differential.same(shim -> {
      try (var task = running(shim, "sleep", "1000")) {
        task.exec("twice", "true");
        return failure(() -> task.exec("twice", "true"));
      }
    });
    assertEquals("6 id twice: already exists", error);
  }

  @Test
  void aCommandThatDoesNotExistIsNamedAndTheExecCanBeDeleted() {
    var errors = Differential.same(shim -> {
      try (var task = running(shim, "sleep", "1000")) {
        task.exec("bad", "no-such-program");
        return List.of(failure(() -> task.start("bad")), status(task, "bad"),
            failure(() -> task.kill(TERM, "bad")), "" + task.delete("bad").getExitStatus());
      }
    });
    assertTrue(errors.get(0).startsWith("2 OCI runtime exec failed: "), errors::toString);
    assertEquals("9 process not created: failed precondition", errors.get(2));
  }

  @Test
  void aFailedStartLetsWaitersGoAndASecondOneFailsAlike() {
    try (var task = running(SHIM, "sleep", "1000")) {
      task.exec("bad", "no-such-program");
      String first = failure(() -> task.start("bad"));
      assertEquals(first, failure(() -> task.start("bad")));
    }
  }

  @Test
  void anExecRunsInAContainerThatIsOnlyCreated() {
    int status = Differential.same(shim -> {
      try (var task = BED.shims().start(shim, BED.shims().bundle(Names.id("early"), "sleep", "1000"))) {
        task.create();
        task.exec("first", "sh", "-c", "exit 3");
        task.start("first");
        return task.await("first").getExitStatus();
      }
    });
    assertEquals(3, status);
  }

  @Test
  void aSignalEndsAnExecAndOnlyThat() {
    int status = Differential.same(shim -> {
      try (var task = running(shim, "sleep", "1000")) {
        task.exec("victim", "sleep", "1000");
        task.start("victim");
        task.kill(TERM, "victim");
        int ended = task.await("victim").getExitStatus();
        assertEquals("RUNNING", task.state("").getStatus().toString());
        return ended;
      }
    });
    assertEquals(128 + TERM, status);
  }

  @Test
  void aRunningExecCannotBeDeleted() {
    String error = Differential.same(shim -> {
      try (var task = running(shim, "sleep", "1000")) {
        task.exec("busy", "sleep", "1000");
        task.start("busy");
        return failure(() -> task.delete("busy"));
      }
    });
    assertEquals("2 cannot delete a running process", error);
  }

  @Test
  void pidsNamesTheExecOfAProcess() throws InvalidProtocolBufferException {
    try (var task = running(SHIM, "sleep", "1000")) {
      task.exec("named", "sleep", "1000");
      int pid = task.start("named");
      var info = task.pids().getProcessesList().stream().filter(p -> p.getPid() == pid).findFirst().orElseThrow();
      assertEquals("containerd.runc.v1.ProcessDetails", info.getInfo().getTypeUrl());
      assertEquals("named", ProcessDetails.parseFrom(info.getInfo().getValue()).getExecId());
    }
  }

  @Test
  void theExitOfTheInitProcessComesAfterThoseOfAllExecs() {
    try (var task = running(SHIM, "sleep", "1000")) {
      for (int i = 0; i < 10; i++) {
        task.exec("e" + i, "sleep", "1000");
        task.start("e" + i);
      }
      task.end();
      var exits = events(task, "/tasks/delete").stream().filter(e -> e.startsWith("/tasks/exit")).toList();
      assertEquals(11, exits.size(), exits::toString);
      assertEquals("/tasks/exit ID 137", exits.getLast());
    }
  }

  @Test
  void anExecIsRefusedOnceTheInitProcessHasEnded() {
    try (var task = running(SHIM, "sleep", "1000")) {
      task.exec("late", "true");
      task.kill(ShimClient.KILL, "");
      task.await("");
      assertEquals("9 container " + task.id() + " init process is not running: failed precondition",
          failure(() -> task.start("late")));
      assertEquals("2 cannot exec in a stopped state", failure(() -> task.exec("later", "true")));
    }
  }

  @Test
  void twoHundredExecsAtOnceEachGiveTheirStatusAndTheirEventsInOrder() {
    try (var task = running(SHIM, "sleep", "1000")) {
      var starts = new ArrayList<CompletableFuture<Integer>>();
      for (int i = 0; i < 200; i++) {
        String exec = "many" + i;
        int status = i % 100;
        starts.add(CompletableFuture.supplyAsync(() -> {
          task.exec(exec, "sh", "-c", "exit " + status);
          task.start(exec);
          return task.await(exec).getExitStatus();
        }, run -> Thread.ofVirtual().start(run)));
      }
      for (int i = 0; i < starts.size(); i++) {
        assertEquals(i % 100, starts.get(i).join());
      }
      task.end();
      var seen = events(task, "/tasks/delete");
      for (int i = 0; i < 200; i++) {
        int started = seen.indexOf("/tasks/exec-started many" + i + " -1");
        int exited = seen.indexOf("/tasks/exit many" + i + " " + i % 100);
        assertTrue(started >= 0 && started < exited, "many" + i + ": " + started + " " + exited);
      }
    }
  }

  @Test
  void theOutputOfAnExecReachesItsFifosAndItsStdinEndsWithCloseIo() throws Exception {
    String text = Differential.same(shim -> {
      try (var task = running(shim, "sleep", "1000")) {
        Path directory = Files.createTempDirectory(Scratch.BASE, "execio");
        Path in = Bundle.fifo(directory.resolve("in"));
        Path out = Bundle.fifo(directory.resolve("out"));
        var setting = new Exec.Setting(directory, java.util.Map.of());
        var reader = Exec.start(directory, setting, List.of("cat", out.toString()));
        var writer = Exec.start(directory, setting, List.of("sh", "-c", "echo hello > in"));
        task.exec("cat", r -> r.setStdin(in.toString()).setStdout(out.toString()).setStderr(out.toString()), "cat");
        task.start("cat");
        writer.await(java.time.Duration.ofSeconds(20)).ok();
        task.closeIo("cat");
        int status = task.await("cat").getExitStatus();
        task.delete("cat");
        String read = reader.await(java.time.Duration.ofSeconds(20)).text();
        Scratch.remove(directory);
        return status + " " + read;
      } catch (java.io.IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    });
    assertEquals("0 hello\n", text);
  }

  @Test
  void reservedIdsAndHostileIdsDoNoHarm() {
    try (var task = running(SHIM, "sleep", "1000")) {
      for (String exec : List.of("init", "shim")) {
        task.exec(exec, "true");
        task.start(exec);
        assertEquals(0, task.await(exec).getExitStatus());
        task.delete(exec);
      }
      for (String exec : List.of("../x", "a/b", ".x", "x\n", "", "x".repeat(4096))) {
        assertTrue(failure(() -> task.exec(exec, "true")).startsWith("3 "), exec);
      }
      assertEquals("RUNNING", task.state("").getStatus().toString());
    }
  }

  @Test
  void aSpecThatIsMissingOrNoJsonIsAnInvalidArgument() {
    try (var task = running(SHIM, "sleep", "1000")) {
      assertTrue(failure(() -> task.exec("none", r -> r.clearSpec())).startsWith("3 spec of exec none is missing"));
      String error = failure(() -> task.exec("garbage",
          r -> r.setSpec(r.getSpec().toBuilder().setValue(ByteString.copyFromUtf8("{nonsense")))));
      assertTrue(error.startsWith("3 spec of exec garbage cannot be read"), error);
      assertTrue(failure(() -> task.state("garbage")).startsWith("5 "));
    }
  }

  @Test
  void ctrExecGivesOutputAndStatusLikeTheOriginal() {
    String seen = Differential.same(shim -> {
      String id = Names.id("ctrexec");
      BED.ctr().detached(shim, id, "sleep", "1000");
      var result = BED.ctr().call("task", "exec", "--exec-id", "x", id, "sh", "-c", "echo out; echo err >&2; exit 5");
      BED.ctr().end(id);
      return result.exit() + result.text() + result.errors();
    });
    assertEquals("5out\nerr\n", seen);
    assertFalse(seen.isEmpty());
  }
}
