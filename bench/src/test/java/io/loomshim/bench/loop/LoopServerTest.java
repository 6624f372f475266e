package io.loomshim.bench.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.bench.rpc.Caller;
import io.loomshim.bench.rpc.Task;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.events.TaskExit;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StateResponse;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.ttrpc.Request;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The event loop with the benchmark's own clients; what the calls do stands here. */
class LoopServerTest {
  @TempDir Path directory;
  private final Exits exits = new Exits();
  private final ExecutorService clients = Executors.newCachedThreadPool();
  private Path socket;
  private LoopServer server;

  @BeforeEach
  void listen() {
    socket = directory.resolve("s");
    server = new LoopServer(this::arrived);
    server.listen(socket);
  }

  @AfterEach
  void close() {
    server.close();
    clients.shutdownNow();
  }

  private void arrived(PendingCall call, Request request) throws Exception {
    switch (request.getMethod()) {
      case "State" -> call.reply(StateResponse.newBuilder()
          .setId(StateRequest.parseFrom(request.getPayload()).getId()).build());
      case "Wait" -> {
        var wait = WaitRequest.parseFrom(request.getPayload());
        exits.add(wait.getId(), wait.getExecId(), call);
        call.parked(() -> exits.remove(wait.getId(), wait.getExecId(), call), request.getTimeoutNano());
      }
      case "Start" -> throw new IOException("it does not start");
      default -> throw new StatusException(Code.UNIMPLEMENTED, "method " + request.getMethod());
    }
  }

  @Test
  void callsAreAnsweredOnTheirStreams() throws Exception {
    var request = StateRequest.newBuilder().setId("a").build();
    try (Caller one = Caller.connect(socket, "State", request); Caller two = Caller.connect(socket, "State", request)) {
      for (int i = 0; i < 100; i++) {
        one.call();
        two.call();
      }
    }
  }

  @Test
  void manyConnectionsAreOpenAtOnceAndEachIsServed() throws Exception {
    var request = StateRequest.newBuilder().setId("a").build();
    var callers = new ArrayList<Caller>();
    try {
      for (int i = 0; i < 100; i++) {
        callers.add(Caller.connect(socket, "State", request));
      }
      for (int round = 0; round < 3; round++) {
        for (Caller caller : callers) {
          assertTrue(caller.call() > 0, "it is answered");
        }
      }
    } finally {
      for (Caller caller : callers) {
        caller.close();
      }
    }
  }

  @Test
  void errorsHaveTheCodesOfTheDaemon() throws Exception {
    try (Task task = Task.connect(socket, "a")) {
      assertEquals("UNKNOWN: it does not start", assertThrows(IOException.class, () -> task.start("")).getMessage());
      assertEquals("UNIMPLEMENTED: method Delete", assertThrows(IOException.class, () -> task.delete("")).getMessage());
    }
  }

  @Test
  void anExitAnswersAllWhoWaitForThatProcessAndNoOther() throws Exception {
    try (Task task = Task.connect(socket, "a"); Task other = Task.connect(socket, "a")) {
      Future<Integer> first = clients.submit(() -> task.await("e"));
      Future<Integer> second = clients.submit(() -> other.await("e"));
      Future<Integer> init = clients.submit(() -> task.await(""));
      Awaitility.await().until(() -> exits.count() == 3);
      exits.ended(TaskExit.newBuilder().setContainerId("a").setId("e").setExitStatus(9).build());
      assertEquals(9, first.get());
      assertEquals(9, second.get());
      assertEquals(1, exits.count(), "the container runs");
      exits.ended(TaskExit.newBuilder().setContainerId("a").setId("a").setExitStatus(3).build());
      assertEquals(3, init.get());
      assertEquals(0, exits.count());
    }
  }

  @Test
  void aClientThatGoesTakesItsWaitsAlong() throws Exception {
    Task task = Task.connect(socket, "a");
    Future<Integer> waiting = clients.submit(() -> task.await(""));
    Awaitility.await().until(() -> exits.count() == 1);
    task.close();
    Awaitility.await().until(() -> exits.count() == 0);
    assertThrows(Exception.class, waiting::get);
  }

  @Test
  void aDeadlineEndsAWait() throws Exception {
    try (Task task = Task.connect(socket, "a", Duration.ofMillis(200))) {
      String told = assertThrows(IOException.class, () -> task.await("")).getMessage();
      assertTrue(told.startsWith("DEADLINE_EXCEEDED: "), told);
      Awaitility.await().until(() -> exits.count() == 0);
    }
  }

  @Test
  void aRequestThatComesInPiecesAndALongReplyAreWhole() throws Exception {
    String name = "x".repeat(100_000);
    try (Task task = Task.connect(socket, name)) {
      task.state();
    }
  }
}
