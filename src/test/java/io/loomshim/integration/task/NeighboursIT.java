package io.loomshim.integration.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.MessageLite;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.LooseCall;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.PauseRequest;
import io.loomshim.proto.task.StartRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A container whose runc hangs delays no other; how little is measured by bench/bench.sh, scenario hang. */
@Timeout(120)
final class NeighboursIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  /** {@code -Dloomshim.long=true} makes it the full count. */
  private static final int NEIGHBOURS = Boolean.getBoolean("loomshim.long") ? 50 : 10;
  private static final String EXEC = "e1";
  private static final List<ShimClient> TASKS = new ArrayList<>();

  /** Where it hangs. */
  private enum Command { CREATE, START, EXEC, PAUSE, DELETE }

  @BeforeAll
  static void startNeighbours() {
    Shim.assumeOurs("Go shims serve one container each");
    for (int i = 0; i < NEIGHBOURS; i++) {
      TASKS.add(running());
    }
  }

  @AfterAll
  static void endNeighbours() {
    for (var task : TASKS) {
      task.end();
      task.close();
    }
  }

  private static ShimClient running() {
    var task = BED.shims().start(SHIM, BED.shims().bundle(Names.id("neighbour"), "sleep", "1000"));
    task.create();
    task.start();
    return task;
  }

  @ParameterizedTest(name = "while runc hangs at {0} of one container, every call to its neighbours succeeds")
  @EnumSource
  void callsToNeighboursSucceedWhileRuncHangs(Command command) {
    var runc = FaultyRunc.make(BED.directory(), command.name().toLowerCase(Locale.ROOT),
        ": > \"$0.hangs\"; sleep 1000 & wait");
    try (var task = BED.shims().start(SHIM, BED.shims().bundle(Names.id("hung"), "sleep", "1000"))) {
      var create = CreateTaskRequest.newBuilder().setId(task.id()).setBundle(task.bundle().path().toString())
          .setOptions(runc.options().orElseThrow()).build();
      if (command != Command.CREATE) {
        task.create(request -> create.toBuilder());
        if (command != Command.START) {
          task.start();
        }
      }
      try (var hung = hang(command, task, create)) {
        Await.until("runc hangs", () -> runc.beside("hangs").toFile().exists());
        for (var neighbour : TASKS) {
          everyCall(neighbour);
        }
        try (var newcomer = running()) {
          everyCall(newcomer);
          assertEquals(137, newcomer.end());
        }
        assertTrue(hung != null);
      }
      runc.mend();
      if (command == Command.CREATE) {
        Await.until("it is undone", () -> ShimClient.failure(() -> task.state("")).startsWith("5 "));
      } else {
        assertEquals(137, task.end());
      }
    }
  }

  private static LooseCall hang(Command command, ShimClient task, CreateTaskRequest create) {
    if (command == Command.EXEC) {
      task.exec(EXEC, "true");
    } else if (command == Command.DELETE) {
      task.kill(ShimClient.KILL, "");
      task.await("");
    }
    String id = task.id();
    MessageLite request = switch (command) {
      case CREATE -> create;
      case START -> StartRequest.newBuilder().setId(id).build();
      case EXEC -> StartRequest.newBuilder().setId(id).setExecId(EXEC).build();
      case PAUSE -> PauseRequest.newBuilder().setId(id).build();
      case DELETE -> DeleteRequest.newBuilder().setId(id).build();
    };
    String word = command == Command.EXEC ? "start" : command.name().toLowerCase(Locale.ROOT);
    String method = word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
    return LooseCall.send(task, method, request, Duration.ZERO);
  }

  private static void everyCall(ShimClient task) {
    assertEquals("RUNNING", task.state("").getStatus().toString());
    assertEquals(1, task.pids().getProcessesCount());
    assertTrue(!task.stats().getValue().isEmpty());
    assertTrue(task.connect().getTaskPid() > 0);
    task.exec(EXEC, "sh", "-c", "exit 3");
    assertTrue(task.start(EXEC) > 0);
    assertEquals(3, task.await(EXEC).getExitStatus());
    assertEquals(3, task.delete(EXEC).getExitStatus());
    task.pause();
    task.resume();
    task.update("{\"pids\":{\"limit\":50}}");
  }
}
