package io.loomshim.task;

import io.loomshim.proto.task.CheckpointTaskRequest;
import io.loomshim.proto.task.CloseIORequest;
import io.loomshim.proto.task.ConnectRequest;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.ExecProcessRequest;
import io.loomshim.proto.task.PauseRequest;
import io.loomshim.proto.task.ResumeRequest;
import io.loomshim.proto.task.UpdateTaskRequest;
import io.loomshim.proto.task.PidsRequest;
import io.loomshim.proto.task.ResizePtyRequest;
import io.loomshim.proto.task.ShutdownRequest;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StatsRequest;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.ttrpc.Service;

/**
 * Puts the task service on the wire: the methods of {@code containerd.task.v2.Task}. A method that is not here
 * is answered Unimplemented by the server. Each call's thread is named after the container, and the exec, that it
 * is about.
 */
public final class TaskHandlers {
  private static final String NAME = "containerd.task.v2.Task";

  private TaskHandlers() {}

  /** The ttrpc service that answers from {@code tasks}. */
  public static Service service(TaskService tasks) {
    var service = new Service(NAME);
    service.immediate(
        "State",
        StateRequest.parser(),
        (call, r) -> {
          call.serves(name(r.getId(), r.getExecId()));
          return tasks.state(r);
        });
    service.method(
        "Create",
        CreateTaskRequest.parser(),
        (call, r) -> {
          call.serves(r.getId());
          return tasks.create(r);
        });
    service.method(
        "Start",
        StartRequest.parser(),
        (call, r) -> {
          call.serves(name(r.getId(), r.getExecId()));
          return tasks.start(r);
        });
    service.method(
        "Delete",
        DeleteRequest.parser(),
        (call, r) -> {
          call.serves(name(r.getId(), r.getExecId()));
          return tasks.delete(r);
        });
    service.method(
        "Pids",
        PidsRequest.parser(),
        (call, r) -> {
          call.serves(r.getId());
          return tasks.pids(r);
        });
    service.method(
        "Kill",
        KillRequest.parser(),
        (call, r) -> {
          call.serves(name(r.getId(), r.getExecId()));
          return tasks.kill(r);
        });
    service.method(
        "CloseIO",
        CloseIORequest.parser(),
        (call, r) -> {
          call.serves(name(r.getId(), r.getExecId()));
          return tasks.closeIo(r);
        });
    service.method(
        "ResizePty",
        ResizePtyRequest.parser(),
        (call, r) -> {
          call.serves(name(r.getId(), r.getExecId()));
          return tasks.resizePty(r);
        });
    service.method(
        "Wait",
        WaitRequest.parser(),
        (call, r) -> {
          call.serves(name(r.getId(), r.getExecId()));
          return tasks.await(r);
        });
    service.immediate(
        "Connect",
        ConnectRequest.parser(),
        (call, r) -> {
          call.serves(r.getId());
          return tasks.connect(r);
        });
    service.method(
        "Shutdown",
        ShutdownRequest.parser(),
        (call, r) -> {
          call.serves(r.getId());
          return tasks.shutdown(r);
        });
    service.method(
        "Exec",
        ExecProcessRequest.parser(),
        (call, r) -> {
          call.serves(name(r.getId(), r.getExecId()));
          return tasks.exec(r);
        });
    service.method(
        "Pause",
        PauseRequest.parser(),
        (call, r) -> {
          call.serves(r.getId());
          return tasks.pause(r);
        });
    service.method(
        "Resume",
        ResumeRequest.parser(),
        (call, r) -> {
          call.serves(r.getId());
          return tasks.resume(r);
        });
    service.method(
        "Update",
        UpdateTaskRequest.parser(),
        (call, r) -> {
          call.serves(r.getId());
          return tasks.update(r);
        });
    service.method(
        "Checkpoint",
        CheckpointTaskRequest.parser(),
        (call, r) -> {
          call.serves(r.getId());
          return tasks.checkpoint(r);
        });
    service.method(
        "Stats",
        StatsRequest.parser(),
        (call, r) -> {
          call.serves(r.getId());
          return tasks.stats(r);
        });
    return service;
  }

  private static String name(String id, String execId) {
    return execId.isEmpty() ? id : id + "/" + execId;
  }
}
