package io.loomshim.task;

import com.google.protobuf.Any;
import com.google.protobuf.Empty;
import com.google.protobuf.Timestamp;
import io.loomshim.container.Container;
import io.loomshim.container.ContainerProcess;
import io.loomshim.container.ContainerSpec;
import io.loomshim.container.ExecSpec;
import io.loomshim.container.Exit;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.event.Outbox;
import io.loomshim.linux.Aside;
import io.loomshim.proto.runc.Options;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/**
 * The task service for all containers of a namespace. Each call runs on a thread of its own and locks at
 * most its one container; an interrupt cancels it.
 *
 * <p>Errors are {@link StatusException}s, or exceptions that {@link ErrorCodes} knows.
 */
public final class TaskService {
  private static final int PID = (int) ProcessHandle.current().pid();

  private final String namespace;
  private final Outbox events;
  private final Host host;
  private final RuncLimits limits;
  private final boolean killExecTree;
  private final ConcurrentHashMap<String, Container> containers = new ConcurrentHashMap<>();
  private final Set<String> ids = ConcurrentHashMap.newKeySet(); // of containers, also those being created
  private final ConcurrentHashMap<String, Creation> creations = new ConcurrentHashMap<>(); // under way

  private record Creation(Path bundle, CountDownLatch done) {
    /** Whether it was asked for by containerd 2, which keeps this file in its bundles. */
    boolean second() throws IOException, InterruptedException {
      Path file = bundle.resolve("bootstrap.json");
      return Aside.run("stat " + file, () -> Files.exists(file));
    }
  }

  /** {@code killExecTree}: whether what an exec has started ends with it. */
  public TaskService(String namespace, Outbox events, Host host, RuncLimits limits, boolean killExecTree) {
    this.namespace = namespace;
    this.events = events;
    this.host = host;
    this.limits = limits;
    this.killExecTree = killExecTree;
  }

  /** Creates a container and its init process, which waits for {@link #start}. */
  public CreateTaskResponse create(CreateTaskRequest request) throws IOException, InterruptedException {
    String id = Ids.check(request.getId());
    ContainerSpec spec = spec(id, request);
    host.arriving(id);
    if (!ids.add(id)) {
      throw new StatusException(Code.ALREADY_EXISTS, "container " + id + ": already exists");
    }
    var done = new CountDownLatch(1);
    creations.put(id, new Creation(spec.bundle(), done));
    boolean created = false;
    try {
      host.creating(id, spec.bundle());
      Container container = Container.create(spec, namespace, events, limits, killExecTree);
      containers.put(id, container);
      created = true;
      return CreateTaskResponse.newBuilder().setPid(container.process("").pid()).build();
    } finally {
      if (!created) {
        host.vacated(spec.bundle());
        forget(id);
      }
      creations.remove(id);
      done.countDown();
    }
  }

  private static ContainerSpec spec(String id, CreateTaskRequest request) throws IOException, InterruptedException {
    if (!request.getBundle().startsWith("/")) {
      throw new StatusException(
          Code.INVALID_ARGUMENT, "bundle \"" + request.getBundle() + "\" is not an absolute path: invalid argument");
    }
    var stdio =
        new StdioPaths(request.getStdin(), request.getStdout(), request.getStderr(), request.getTerminal());
    Options options = options(request.getOptions());
    Path bundle = Path.of(request.getBundle());
    return new ContainerSpec(id, bundle, request.getRootfsList(), stdio, options, checkpoint(request, options));
  }

  private static Options options(Any any) throws IOException, InterruptedException {
    String file = RuntimeOptions.file(any);
    return file.isEmpty() ? RuntimeOptions.decode(any) : Aside.run("read " + file, () -> RuntimeOptions.decode(any));
  }

  /** For a runtime of another name than runc's, containerd leaves the image's path in the options. */
  private static Optional<Path> checkpoint(CreateTaskRequest request, Options options) {
    String path = options.getCriuImagePath().isEmpty() ? request.getCheckpoint() : options.getCriuImagePath();
    return path.isEmpty() ? Optional.empty() : Optional.of(Path.of(path));
  }

  /** Lets a process run. */
  public StartResponse start(StartRequest request) throws IOException, InterruptedException {
    int pid = container(request.getId()).start(request.getExecId());
    return StartResponse.newBuilder().setPid(pid).build();
  }

  /** Tells all about a process without waiting for anything. */
  public StateResponse state(StateRequest request) {
    Container container = container(request.getId());
    ContainerProcess process = container.process(request.getExecId());
    StdioPaths stdio = process.stdio();
    String status = process.status();
    Exit exit = process.exit();
    return StateResponse.newBuilder()
        .setId(process.id())
        .setBundle(container.bundle().toString())
        .setPid(process.pid())
        .setStatus(status(status))
        .setStdin(stdio.stdin())
        .setStdout(stdio.stdout())
        .setStderr(stdio.stderr())
        .setTerminal(stdio.terminal())
        .setExitStatus(exit.status())
        .setExitedAt(timestamp(exit))
        .build();
  }

  private static Status status(String word) {
    return switch (word) {
      case "created" -> Status.CREATED;
      case "running" -> Status.RUNNING;
      case "stopped" -> Status.STOPPED;
      case "paused" -> Status.PAUSED;
      case "pausing" -> Status.PAUSING;
      default -> Status.UNKNOWN;
    };
  }

  /** Waits until a process has ended. */
  public WaitResponse await(WaitRequest request) throws InterruptedException {
    Exit exit = container(request.getId()).process(request.getExecId()).awaitExit();
    return WaitResponse.newBuilder().setExitStatus(exit.status()).setExitedAt(timestamp(exit)).build();
  }

  /** Sends a signal. */
  public Empty kill(KillRequest request) throws IOException, InterruptedException {
    container(request.getId()).process(request.getExecId()).kill(request.getSignal(), request.getAll());
    return Empty.getDefaultInstance();
  }

  /** Lists the processes of a container. */
  public PidsResponse pids(PidsRequest request) throws IOException, InterruptedException {
    var response = PidsResponse.newBuilder();
    Container container = container(request.getId());
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
    Container container = container(request.getId());
    String execId = Ids.check(request.getExecId());
    if (!request.hasSpec()) {
      throw new StatusException(Code.INVALID_ARGUMENT, "spec of exec " + execId + " is missing: invalid argument");
    }
    var stdio =
        new StdioPaths(request.getStdin(), request.getStdout(), request.getStderr(), request.getTerminal());
    container.exec(new ExecSpec(execId, stdio, request.getSpec().getValue().toStringUtf8()));
    return Empty.getDefaultInstance();
  }

  /** Freezes a container. */
  public Empty pause(PauseRequest request) throws InterruptedException {
    container(request.getId()).pause();
    return Empty.getDefaultInstance();
  }

  /** Lets a frozen container run again. */
  public Empty resume(ResumeRequest request) throws InterruptedException {
    container(request.getId()).resume();
    return Empty.getDefaultInstance();
  }

  /** Sets resource limits of a container. */
  public Empty update(UpdateTaskRequest request) throws InterruptedException {
    Container container = container(request.getId());
    if (!request.hasResources()) {
      throw new StatusException(Code.INVALID_ARGUMENT, "resources are missing: invalid argument");
    }
    container.update(request.getResources().getValue().toStringUtf8());
    return Empty.getDefaultInstance();
  }

  /** Saves a container with CRIU. */
  public Empty checkpoint(CheckpointTaskRequest request) throws IOException, InterruptedException {
    Container container = container(request.getId());
    container.checkpoint(CheckpointOptions.decode(request.getOptions(), request.getPath()));
    return Empty.getDefaultInstance();
  }

  /** Tells what a container uses. */
  public StatsResponse stats(StatsRequest request) throws IOException {
    return StatsResponse.newBuilder().setStats(container(request.getId()).stats()).build();
  }

  /** Removes an ended process; with its init, a container is gone. */
  public DeleteResponse delete(DeleteRequest request) throws IOException, InterruptedException {
    Container container = container(request.getId());
    ContainerProcess process = container.process(request.getExecId());
    Exit exit = container.delete(request.getExecId());
    var response =
        DeleteResponse.newBuilder()
            .setPid(process.pid())
            .setExitStatus(exit.status())
            .setExitedAt(timestamp(exit))
            .build();
    if (request.getExecId().isEmpty()) {
      host.deleted(container.bundle(), response);
      forget(container.id());
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
    Container container = container(request.getId());
    container.process(request.getExecId()).resize(request.getWidth(), request.getHeight());
    return Empty.getDefaultInstance();
  }

  /** The original answers an unknown exec here with the code of any other error. */
  private ContainerProcess process(String id, String execId) {
    Container container = container(id);
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
    Creation creation = creations.get(id);
    boolean second = creation != null && creation.second();
    if (creation != null) {
      creation.done().await();
    }
    Container container = containers.get(id);
    if (container == null && (creation != null ? !second : Ids.valid(id) && host.promised(id))) {
      container = container(id);
    }
    int taskPid = container == null ? 0 : container.process("").pid();
    return ConnectResponse.newBuilder().setShimPid(PID).setTaskPid(taskPid).build();
  }

  /** Succeeds; the daemon ends when it has no containers and is not needed for a while. */
  public Empty shutdown(ShutdownRequest request) {
    host.shutdownAsked();
    return Empty.getDefaultInstance();
  }

  /** Somebody else has removed the container {@code id}: frees what is held of it, if it is known at all. */
  public void abandon(String id) {
    Container container = containers.get(id);
    if (container != null) {
      container.abandon();
      forget(id);
    }
  }

  /** The ids of all containers, those being created included. */
  public Set<String> ids() {
    return new TreeSet<>(ids);
  }

  /** The containers that exist; those being created are not among them yet. */
  public List<Container> containers() {
    return List.copyOf(containers.values());
  }

  /** Whether there is no container and none is being created. */
  public boolean idle() {
    return ids.isEmpty();
  }

  private void forget(String id) {
    containers.remove(id);
    ids.remove(id);
    host.forgotten(id);
  }

  private Container container(String id) {
    Container container = containers.get(id);
    if (container == null) {
      throw new StatusException(Code.NOT_FOUND, "container not created: not found");
    }
    return container;
  }

  private static Timestamp timestamp(Exit exit) {
    return Timestamp.newBuilder().setSeconds(exit.at().getEpochSecond()).setNanos(exit.at().getNano()).build();
  }
}
