package io.loomshim.task;

import io.loomshim.metrics.Subject;
import io.loomshim.proto.task.CheckpointTaskRequest;
import io.loomshim.proto.task.CloseIORequest;
import io.loomshim.proto.task.ConnectRequest;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.ExecProcessRequest;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.PauseRequest;
import io.loomshim.proto.task.PidsRequest;
import io.loomshim.proto.task.ResizePtyRequest;
import io.loomshim.proto.task.ResumeRequest;
import io.loomshim.proto.task.ShutdownRequest;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StatsRequest;
import io.loomshim.proto.task.UpdateTaskRequest;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.ttrpc.Service;
import java.util.List;
import java.util.Optional;

/**
 * Puts the task service on the wire, under both of its names: version 3 has the methods and the messages of version 2,
 * byte for byte, and differs in the package alone. A method that is not here is answered Unimplemented by the server,
 * and so is any other service. Each call's thread is named after the container, and the exec, that it is about.
 */
public final class TaskHandlers {
  private static final String VERSION_2 = "containerd.task.v2.Task";
  private static final String VERSION_3 = "containerd.task.v3.Task";

  private TaskHandlers() {}

  /** The ttrpc services that answer from {@code tasks}. */
  public static List<Service> services(TaskService tasks) {
    return List.of(service(VERSION_2, tasks), service(VERSION_3, tasks));
  }

  private static Service service(String version, TaskService tasks) {
    var service = new Service(version);
    service.immediate(
        "State",
        StateRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId(), r.getExecId()));
          return tasks.state(r);
        });
    service.method(
        "Create",
        CreateTaskRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId()));
          return tasks.create(r);
        });
    service.method(
        "Start",
        StartRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId(), r.getExecId()));
          return tasks.start(r);
        });
    service.method(
        "Delete",
        DeleteRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId(), r.getExecId()));
          return tasks.delete(r);
        });
    service.method(
        "Pids",
        PidsRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId()));
          return tasks.pids(r);
        });
    service.prompt(
        "Kill",
        KillRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId(), r.getExecId()));
          return tasks.killAtOnce(r);
        },
        (call, r) -> {
          call.serves(Subject.of(r.getId(), r.getExecId()));
          return tasks.kill(r);
        });
    service.immediate(
        "CloseIO",
        CloseIORequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId(), r.getExecId()));
          return tasks.closeIo(r);
        });
    service.method(
        "ResizePty",
        ResizePtyRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId(), r.getExecId()));
          return tasks.resizePty(r);
        });
    service.endless(
        "Wait",
        WaitRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId(), r.getExecId()));
          return tasks.await(r);
        });
    service.method(
        "Connect",
        ConnectRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId()));
          return tasks.connect(r);
        });
    service.method(
        "Shutdown",
        ShutdownRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId()));
          return tasks.shutdown(r);
        });
    service.prompt( // not immediate: it cannot be done twice, so it is recorded with the calls in flight
        "Exec",
        ExecProcessRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId(), r.getExecId()));
          return Optional.of(tasks.exec(r));
        },
        (call, r) -> {
          call.serves(Subject.of(r.getId(), r.getExecId()));
          return tasks.exec(r);
        });
    service.method(
        "Pause",
        PauseRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId()));
          return tasks.pause(r);
        });
    service.method(
        "Resume",
        ResumeRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId()));
          return tasks.resume(r);
        });
    service.method(
        "Update",
        UpdateTaskRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId()));
          return tasks.update(r);
        });
    service.method(
        "Checkpoint",
        CheckpointTaskRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId()));
          return tasks.checkpoint(r);
        });
    service.method(
        "Stats",
        StatsRequest.parser(),
        (call, r) -> {
          call.serves(Subject.of(r.getId()));
          return tasks.stats(r);
        });
    return service;
  }
}
