package io.loomshim.task;

import com.google.protobuf.Any;
import com.google.protobuf.Empty;
import io.loomshim.container.Container;
import io.loomshim.container.ContainerProcess;
import io.loomshim.container.ContainerSpec;
import io.loomshim.container.Containers;
import io.loomshim.container.Exit;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.runc.ProcessDetails;
import io.loomshim.proto.task.CheckpointTaskRequest;
import io.loomshim.proto.task.CloseIORequest;
import io.loomshim.proto.task.ConnectRequest;
import io.loomshim.proto.task.ConnectResponse;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.CreateTaskResponse;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.DeleteResponse;
import io.loomshim.proto.task.ExecProcessRequest;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.PauseRequest;
import io.loomshim.proto.task.PidsRequest;
import io.loomshim.proto.task.PidsResponse;
import io.loomshim.proto.task.ResizePtyRequest;
import io.loomshim.proto.task.ResumeRequest;
import io.loomshim.proto.task.ShutdownRequest;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.task.StartResponse;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StateResponse;
import io.loomshim.proto.task.StatsRequest;
import io.loomshim.proto.task.StatsResponse;
import io.loomshim.proto.task.UpdateTaskRequest;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.task.WaitResponse;
import io.loomshim.proto.types.ProcessInfo;
import io.loomshim.proto.types.Status;
import io.loomshim.runc.RuncLimits;
import io.loomshim.stdio.StdioPaths;
import java.io.IOException;
import java.util.Optional;

/**
 * The task service for all containers of a namespace. Each call runs on a thread of its own and locks at
 * most its one container; an interrupt cancels it.
 *
 * <p>Errors are {@link StatusException}s, or exceptions that {@link ErrorCodes} knows.
 */
public final class TaskService {
  private static final int PID = (int) ProcessHandle.current().pid();

  private final Containers containers;
  private final DaemonHooks daemon;

  /** Serves {@code containers}, for {@code daemon}. */
  public TaskService(Containers containers, DaemonHooks daemon) {
    this.containers = containers;
    this.daemon = daemon;
  }

  /** Creates a container and its init process, which waits for {@link #start}. */
  public CreateTaskResponse create(CreateTaskRequest request) throws IOException, InterruptedException {
    ContainerSpec spec = Specs.container(request);
    daemon.beforeCreate(spec.id());
    Containers.Entry entry = containers.begin(spec);
    boolean created = false;
    try {
      daemon.creating(spec.id(), spec.bundle());
      Container container = containers.create(entry, spec);
      created = true;
      return CreateTaskResponse.newBuilder().setPid(container.process("").pid()).build();
    } finally {
      if (created) {
        entry.endCreation();
      } else {
        createFailed(entry, spec);
      }
    }
  }

  /** The id is free again, even if all else fails for lack of something. */
  private void createFailed(Containers.Entry entry, ContainerSpec spec) {
    try {
      daemon.createFailed(spec.bundle());
    } finally {
      containers.remove(entry);
      try {
        daemon.gone(spec.id());
      } finally {
        entry.endCreation();
      }
    }
  }

  /** Lets a process run. */
  public StartResponse start(StartRequest request) throws IOException, InterruptedException {
    int pid = containers.get(request.getId()).start(request.getExecId());
    return StartResponse.newBuilder().setPid(pid).build();
  }

  /** Tells all about a process without waiting for anything. */
  public StateResponse state(StateRequest request) {
    Container container = containers.get(request.getId());
    ContainerProcess process = container.process(request.getExecId());
    StdioPaths stdio = process.stdio();
    Status status = process.status(); // before the exit: one that has stopped has one
    Exit exit = process.exit();
    return StateResponse.newBuilder()
        .setId(process.id())
        .setBundle(container.bundle().toString())
        .setPid(process.pid())
        .setStatus(status)
        .setStdin(stdio.stdin())
        .setStdout(stdio.stdout())
        .setStderr(stdio.stderr())
        .setTerminal(stdio.terminal())
        .setExitStatus(exit.status())
        .setExitedAt(exit.timestamp())
        .build();
  }

  /** Waits until a process has ended. */
  public WaitResponse await(WaitRequest request) throws InterruptedException {
    Exit exit = containers.get(request.getId()).process(request.getExecId()).awaitExit();
    return WaitResponse.newBuilder().setExitStatus(exit.status()).setExitedAt(exit.timestamp()).build();
  }

  /** The same as {@link #kill} without waiting; empty when that must do it. */
  public Optional<Empty> killAtOnce(KillRequest request) throws IOException {
    ContainerProcess process = containers.get(request.getId()).process(request.getExecId());
    boolean done = process.killAtOnce(request.getSignal(), request.getAll());
    return done ? Optional.of(Empty.getDefaultInstance()) : Optional.empty();
  }

  /** Sends a signal. */
  public Empty kill(KillRequest request) throws IOException, InterruptedException {
    containers.get(request.getId()).process(request.getExecId()).kill(request.getSignal(), request.getAll());
    return Empty.getDefaultInstance();
  }

  /** Lists the processes of a container. */
  public PidsResponse pids(PidsRequest request) throws IOException, InterruptedException {
    var response = PidsResponse.newBuilder();
    Container container = containers.get(request.getId());
    for (int pid : container.pids()) {
      var process = ProcessInfo.newBuilder().setPid(pid);
      Optional<String> exec = container.execOf(pid);
      if (exec.isPresent()) {
        process.setInfo(details(exec.get()));
      }
      response.addProcesses(process);
    }
    return response.build();
  }

  private static Any details(String execId) {
    var details = ProcessDetails.newBuilder().setExecId(execId).build();
    return Any.newBuilder().setTypeUrl("containerd.runc.v1.ProcessDetails").setValue(details.toByteString()).build();
  }

  /** Adds a process to a container; {@link #start} lets it run. */
  public Empty exec(ExecProcessRequest request) {
    Container container = containers.get(request.getId());
    container.exec(Specs.exec(request));
    return Empty.getDefaultInstance();
  }

  /** Freezes a container. */
  public Empty pause(PauseRequest request) throws IOException, InterruptedException {
    containers.get(request.getId()).pause();
    return Empty.getDefaultInstance();
  }

  /** Lets a frozen container run again. */
  public Empty resume(ResumeRequest request) throws IOException, InterruptedException {
    containers.get(request.getId()).resume();
    return Empty.getDefaultInstance();
  }

  /** Sets resource limits of a container. */
  public Empty update(UpdateTaskRequest request) throws IOException, InterruptedException {
    Container container = containers.get(request.getId());
    if (!request.hasResources()) {
      throw new StatusException(Code.INVALID_ARGUMENT, "resources are missing: invalid argument");
    }
    container.update(request.getResources().getValue().toStringUtf8());
    return Empty.getDefaultInstance();
  }

  /** Saves a container with CRIU. */
  public Empty checkpoint(CheckpointTaskRequest request) throws IOException, InterruptedException {
    Container container = containers.get(request.getId());
    container.checkpoint(CheckpointOptions.decode(request.getOptions(), request.getPath()));
    return Empty.getDefaultInstance();
  }

  /** Tells what a container uses. */
  public StatsResponse stats(StatsRequest request) throws IOException {
    return StatsResponse.newBuilder().setStats(containers.get(request.getId()).stats()).build();
  }

  /** Removes an ended process; with its init, a container is gone. */
  public DeleteResponse delete(DeleteRequest request) throws IOException, InterruptedException {
    Container container = containers.get(request.getId());
    ContainerProcess process = container.process(request.getExecId());
    Exit exit = container.delete(request.getExecId());
    var response =
        DeleteResponse.newBuilder()
            .setPid(process.pid())
            .setExitStatus(exit.status())
            .setExitedAt(exit.timestamp())
            .build();
    if (request.getExecId().isEmpty()) {
      daemon.deleted(container.bundle(), response);
      containers.remove(container);
      daemon.gone(container.id());
    }
    return response;
  }

  /** Closes the daemon's hold on a process's stdin. */
  public Empty closeIo(CloseIORequest request) {
    process(request.getId(), request.getExecId()).closeStdin();
    return Empty.getDefaultInstance();
  }

  /** Tells a terminal the size of its window; succeeds for a process without one. */
  public Empty resizePty(ResizePtyRequest request) throws IOException {
    Container container = containers.get(request.getId());
    container.process(request.getExecId()).resize(request.getWidth(), request.getHeight());
    return Empty.getDefaultInstance();
  }

  /** The original answers an unknown exec here with the code of any other error. */
  private ContainerProcess process(String id, String execId) {
    Container container = containers.get(id);
    try {
      return container.process(execId);
    } catch (StatusException e) {
      throw new StatusException(Code.UNKNOWN, e.getMessage(), e);
    }
  }

  /**
   * Tells the daemon's pid, and the container's when it exists; works for any id, as containerd 1.7 asks for a
   * container of a sandbox before it creates it. NOT_FOUND is for a containerd that asks because it was started anew,
   * while a creation is being undone or has never come: those before 1.7 would keep a task that can neither be used
   * nor removed. containerd 2 tells that by Pids, and would keep the connection where Connect has failed.
   *
   * <p>Waits for a creation that is under way, which is no longer than {@link RuncLimits#create} and the undoing.
   */
  public ConnectResponse connect(ConnectRequest request) throws IOException, InterruptedException {
    String id = request.getId();
    Optional<Containers.Entry> creation = containers.creation(id);
    boolean ofContainerd2 = creation.isPresent() && creation.get().ofContainerd2();
    if (creation.isPresent()) {
      creation.get().awaitCreation();
    }
    Optional<Container> container = containers.find(id);
    if (container.isEmpty() && (creation.isPresent() ? !ofContainerd2 : Ids.valid(id) && daemon.leased(id))) {
      container = Optional.of(containers.get(id));
    }
    int taskPid = container.isPresent() ? container.get().process("").pid() : 0;
    return ConnectResponse.newBuilder().setShimPid(PID).setTaskPid(taskPid).build();
  }

  /** Succeeds; the daemon ends when it has no containers and is not needed for a while. */
  public Empty shutdown(ShutdownRequest request) {
    daemon.shutdownRequested();
    return Empty.getDefaultInstance();
  }
}
