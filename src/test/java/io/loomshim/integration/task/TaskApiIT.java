package io.loomshim.integration.task;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Empty;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.proto.task.StateResponse;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.task.WaitResponse;
import io.loomshim.proto.types.ProcessInfo;
import io.loomshim.ttrpc.Client;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The task service, called as containerd calls it. */
final class TaskApiIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final int TERM = 15;

  private static ShimClient open(Shim shim, String... command) {
    return BED.shims().start(shim, BED.shims().bundle(Names.id("task"), command));
  }

  /** A State without what differs between any two containers. */
  private static String plain(StateResponse state, int pid, String id) {
    return Differential.plain(state.getId() + " " + state.getBundle() + " " + (state.getPid() == pid ? "pid" : "other")
        + " " + state.getStatus() + " " + state.getStdin() + state.getStdout() + state.getStderr()
        + state.getTerminal() + " " + state.getExitStatus() + " "
        + (state.getExitedAt().getSeconds() < 0 ? state.getExitedAt().getSeconds() : "now")
        + " " + state.hasExitedAt() + " [" + state.getExecId() + "]", id);
  }

  @Test
  void stateTellsTheSameAtEveryStepOfALife() {
    var steps = Differential.same(shim -> {
      var seen = new ArrayList<String>();
      try (var task = open(shim, "sleep", "1000")) {
        int pid = task.create();
        seen.add(plain(task.state(""), pid, task.id()));
        task.start();
        seen.add(plain(task.state(""), pid, task.id()));
        task.kill(ShimClient.KILL, "");
        task.await("");
        seen.add(plain(task.state(""), pid, task.id()));
        var deleted = task.delete("");
        seen.add((deleted.getPid() == pid) + " " + deleted.getExitStatus());
        return seen;
      }
    });
    assertTrue(steps.get(0).contains(" CREATED "), steps::toString);
    assertTrue(steps.get(0).contains(" -62135596800 true"), steps::toString);
    assertTrue(steps.get(2).contains(" STOPPED "), steps::toString);
  }

  @Test
  void theExitTimeIsTheSameInWaitStateAndDelete() {
    try (var task = open(SHIM, "true")) {
      task.create();
      task.start();
      var waited = task.await("").getExitedAt();
      assertEquals(waited, task.state("").getExitedAt());
      assertEquals(waited, task.delete("").getExitedAt());
    }
  }

  @Test
  void connectNamesTheShimAndTheFirstProcess() {
    try (var task = open(SHIM, "sleep", "1000")) {
      int pid = task.create();
      var answer = task.connect();
      assertEquals(pid, answer.getTaskPid());
      assertEquals("", answer.getVersion());
      assertEquals(answer.getShimPid(), Proc.info(pid).orElseThrow().parent());
    }
  }

  @Test
  void pidsListsEveryProcessOfTheContainer() {
    try (var task = open(SHIM, "sh", "-c", "sleep 1000 & sleep 1001 & wait")) {
      int pid = task.create();
      task.start();
      Await.until("three processes", () -> task.pids().getProcessesCount() == 3);
      List<Integer> pids = task.pids().getProcessesList().stream().map(ProcessInfo::getPid).toList();
      assertTrue(pids.contains(pid));
      for (int each : pids) {
        assertTrue(each == pid || Proc.info(each).orElseThrow().parent() == pid);
      }
      assertFalse(task.pids().getProcesses(0).hasInfo());
    }
  }

  @Test
  void anUnknownExecIsRefusedWithTheSameWordsEverywhere() {
    var errors = Differential.same(shim -> {
      try (var task = open(shim, "sleep", "1000")) {
        task.create();
        task.start();
        return List.of(failure(() -> task.state("nobody")), failure(() -> task.kill(TERM, "nobody")),
            failure(() -> task.delete("nobody")), failure(() -> task.await("nobody")),
            failure(() -> task.closeIo("nobody")));
      }
    });
    assertEquals("5 process does not exist nobody: not found", errors.get(0));
    assertEquals("2 process does not exist nobody: not found", errors.get(4));
  }

  @Test
  void beforeCreateThereIsNoContainer() {
    var errors = Differential.same(shim -> {
      try (var task = open(shim, "true")) {
        return List.of(failure(() -> task.state("")), failure(() -> task.start()),
            failure(() -> task.kill(TERM, "")), failure(() -> task.delete("")), failure(() -> task.pids()),
            failure(() -> task.closeIo("")), failure(() -> task.await("")));
      }
    });
    for (String error : errors) {
      assertEquals("5 container not created: not found", error);
    }
  }

  @Test
  void whatARunningTaskRefusesItRefusesWithTheSameWords() {
    var errors = Differential.same(shim -> {
      try (var task = open(shim, "sleep", "1000")) {
        task.create();
        task.start();
        return List.of(failure(() -> task.delete("")), failure(() -> task.start()));
      }
    });
    assertEquals(List.of("2 cannot delete a running process", "2 cannot start a running process"), errors);
  }

  @Test
  void whatAStoppedTaskRefusesItRefusesWithTheSameWords() {
    var errors = Differential.same(shim -> {
      try (var task = open(shim, "true")) {
        task.create();
        task.start();
        task.await("");
        return List.of(failure(() -> task.kill(TERM, "")), failure(() -> task.start()));
      }
    });
    assertEquals(List.of("5 process already finished: not found", "2 cannot start a stopped process"), errors);
  }

  @Test
  void aCreatedTaskCanBeDeletedWithoutHavingRun() {
    Differential.same(shim -> {
      try (var task = open(shim, "sleep", "1000")) {
        int pid = task.create();
        task.kill(ShimClient.KILL, "");
        int status = task.await("").getExitStatus();
        var deleted = task.delete("");
        return status + " " + (deleted.getPid() == pid) + " " + deleted.getExitStatus();
      }
    });
  }

  @Test
  void everyCallerOfWaitGetsTheExit() throws Exception {
    try (var task = open(SHIM, "sleep", "1000")) {
      task.create();
      task.start();
      var first = CompletableFuture.supplyAsync(() -> task.await(""));
      var second = CompletableFuture.supplyAsync(() -> task.await(""));
      task.kill(ShimClient.KILL, "");
      assertEquals(137, first.get(30, TimeUnit.SECONDS).getExitStatus());
      assertEquals(137, second.get(30, TimeUnit.SECONDS).getExitStatus());
      assertEquals(137, task.await("").getExitStatus());
    }
  }

  @Test
  void aCallerThatLeavesWhileItWaitsDisturbsNobody() throws Exception {
    try (var task = open(SHIM, "sleep", "1000")) {
      task.create();
      task.start();
      try (var other = Client.connect(task.socket(), Duration.ofSeconds(10))) {
        var waiting = CompletableFuture.runAsync(() -> failure(() -> await(other, task)));
        assertFalse(waiting.isDone());
      }
      assertEquals(137, task.end());
    }
  }

  private static void await(Client client, ShimClient task) {
    try {
      client.call(task.service(), "Wait", WaitRequest.newBuilder().setId(task.id()).build(),
          WaitResponse.parser(), Duration.ZERO, Map.of());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void anUnknownMethodOrServiceIsUnimplemented() {
    try (var task = open(SHIM, "true")) {
      var empty = Empty.getDefaultInstance();
      assertEquals("12 method Dance", failure(() -> task.call(task.service(), "Dance", empty, Empty.parser())));
      assertEquals("12 service no.Such", failure(() -> task.call("no.Such", "Dance", empty, Empty.parser())));
    }
  }

  @Test
  void shutdownWhileContainersRemainDoesNothing() {
    Shim.assumeOurs("the Go shim of one container ends whatever remains");
    try (var task = open(SHIM, "sleep", "1000")) {
      int pid = task.create();
      task.start();
      task.shutdown();
      assertTrue(Proc.alive(pid));
      assertEquals(pid, task.state("").getPid());
    }
  }

  @Test
  void eventsComeInOrderWithTheTypesThatContainerdKnows() {
    Differential.same(shim -> {
      try (var task = open(shim, "sh", "-c", "exit 3")) {
        int pid = task.create();
        task.start();
        task.await("");
        task.delete("");
        var events = BED.shims().sink().until(BED.shims().namespace(), task.id(), "/tasks/delete");
        return events.stream().map(e -> e.topic() + " " + e.type() + " " + (e.pid() == pid) + " " + e.status() + " "
            + Differential.plain(e.process(), task.id())).toList();
      }
    });
  }
}
