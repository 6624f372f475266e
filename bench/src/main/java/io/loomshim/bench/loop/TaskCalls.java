package io.loomshim.bench.loop;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.events.ForwardRequest;
import io.loomshim.proto.events.TaskExit;
import io.loomshim.proto.task.CloseIORequest;
import io.loomshim.proto.task.ConnectRequest;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.ExecProcessRequest;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.PidsRequest;
import io.loomshim.proto.task.ShutdownRequest;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StateResponse;
import io.loomshim.proto.task.StatsRequest;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.task.WaitResponse;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.proto.types.Status;
import io.loomshim.task.TaskService;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/**
 * The task service on an event loop, as one writes it for Netty. What never waits is done on the loop. A Wait is kept
 * in {@link Exits} until the event of its exit comes. Everything else may wait for runc or for a disk and goes to a
 * pool of workers, which are threads of the operating system. The events come from the daemon's own outbox, which takes
 * this server for containerd.
 */
final class TaskCalls implements Calls {
  static final String TASK = "containerd.task.v2.Task";
  static final String TASK_3 = "containerd.task.v3.Task";
  private static final String EVENTS = "containerd.services.events.ttrpc.v1.Events";

  /** Calls that may wait for something at once, in a system property; the rest stands in a queue. */
  private static final int WORKERS = Integer.getInteger("loop.workers", 16);

  private final ExecutorService workers = Executors.newFixedThreadPool(WORKERS,
      work -> Thread.ofPlatform().daemon().name("worker").unstarted(work));
  private final Exits exits = new Exits();
  private final Supplier<TaskService> tasks;

  /** The service need not be there before the first request. */
  TaskCalls(Supplier<TaskService> tasks) {
    this.tasks = tasks;
  }

  Exits exits() {
    return exits;
  }

  @Override
  public void arrived(PendingCall call, Request request) throws Exception {
    ByteString payload = request.getPayload();
    if (request.getService().equals(EVENTS)) {
      forwarded(ForwardRequest.parseFrom(payload));
      call.reply(Empty.getDefaultInstance());
      return;
    }
    if (!request.getService().equals(TASK) && !request.getService().equals(TASK_3)) {
      throw new StatusException(Code.UNIMPLEMENTED, "service " + request.getService());
    }
    long nanos = request.getTimeoutNano();
    TaskService service = tasks.get();
    switch (request.getMethod()) {
      case "State" -> call.reply(service.state(StateRequest.parseFrom(payload)));
      case "CloseIO" -> call.reply(service.closeIo(CloseIORequest.parseFrom(payload)));
      case "Exec" -> call.reply(service.exec(ExecProcessRequest.parseFrom(payload)));
      case "Wait" -> await(call, service, WaitRequest.parseFrom(payload), nanos);
      case "Kill" -> kill(call, service, KillRequest.parseFrom(payload), nanos);
      default -> work(call, nanos, waiting(service, request.getMethod(), payload));
    }
  }

  private static Callable<MessageLite> waiting(TaskService service, String method, ByteString payload)
      throws Exception {
    return switch (method) {
      case "Create" -> with(CreateTaskRequest.parseFrom(payload), service::create);
      case "Start" -> with(StartRequest.parseFrom(payload), service::start);
      case "Delete" -> with(DeleteRequest.parseFrom(payload), service::delete);
      case "Pids" -> with(PidsRequest.parseFrom(payload), service::pids);
      case "Stats" -> with(StatsRequest.parseFrom(payload), service::stats);
      case "Connect" -> with(ConnectRequest.parseFrom(payload), service::connect);
      case "Shutdown" -> with(ShutdownRequest.parseFrom(payload), service::shutdown);
      default -> throw new StatusException(Code.UNIMPLEMENTED, "method " + method);
    };
  }

  private interface Step<Q> {
    MessageLite run(Q request) throws Exception;
  }

  private static <Q> Callable<MessageLite> with(Q request, Step<Q> step) {
    return () -> step.run(request);
  }

  private void work(PendingCall call, long nanos, Callable<MessageLite> work) {
    Future<?> future = workers.submit(() -> {
      try {
        call.reply(work.call());
      } catch (Throwable e) {
        call.fail(e);
      }
    });
    call.parked(() -> future.cancel(true), nanos);
  }

  private void kill(PendingCall call, TaskService service, KillRequest request, long nanos) throws Exception {
    Optional<Empty> done = service.killAtOnce(request);
    if (done.isPresent()) {
      call.reply(done.get());
    } else {
      work(call, nanos, () -> service.kill(request));
    }
  }

  private void await(PendingCall call, TaskService service, WaitRequest request, long nanos) {
    var asked = StateRequest.newBuilder().setId(request.getId()).setExecId(request.getExecId()).build();
    if (!answeredIfEnded(call, service.state(asked))) {
      exits.add(request.getId(), request.getExecId(), call);
      call.parked(() -> exits.remove(request.getId(), request.getExecId(), call), nanos);
      // the event may have come between the two
      if (answeredIfEnded(call, service.state(asked))) {
        exits.remove(request.getId(), request.getExecId(), call);
      }
    }
  }

  private static boolean answeredIfEnded(PendingCall call, StateResponse state) {
    boolean ended = state.getStatus() == Status.STOPPED;
    if (ended) {
      call.reply(WaitResponse.newBuilder().setExitStatus(state.getExitStatus()).setExitedAt(state.getExitedAt())
          .build());
    }
    return ended;
  }

  private void forwarded(ForwardRequest request) throws Exception {
    if (request.getEnvelope().getTopic().equals("/tasks/exit")) {
      exits.ended(TaskExit.parseFrom(request.getEnvelope().getEvent().getValue()));
    }
  }
}
