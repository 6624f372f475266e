package io.loomshim.container;

import com.google.protobuf.Any;
import io.loomshim.cgroup.Cgroup;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.event.Outbox;
import io.loomshim.linux.Aside;
import io.loomshim.proto.runc.Options;
import io.loomshim.runc.Environment;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncException;
import io.loomshim.runc.RuncGlobal;
import io.loomshim.runc.RuncLimits;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** A container that runc has created. May be used from any thread; what takes locks is in its processes. */
public final class Container {
  private static final Path DEFAULT_ROOT = Path.of("/run/containerd/runc");

  private final ContainerSpec spec;
  private final Bundle bundle;
  private final Runc runc;
  private final TaskEvents events;
  private final InitProcess init;
  private final ExecTrees trees;
  private final ConcurrentHashMap<String, ExecProcess> execs = new ConcurrentHashMap<>();

  private Container(ContainerSpec spec, Bundle bundle, Runc runc, TaskEvents events, InitProcess init,
      boolean killExecTree) {
    this.spec = spec;
    this.bundle = bundle;
    this.runc = runc;
    this.events = events;
    this.init = init;
    this.trees = new ExecTrees(killExecTree, spec.id(), runc, init.memory());
  }

  /**
   * Creates a container, publishes that and begins to wait for the end of its init.
   *
   * @param namespace the containerd namespace, a part of runc's root
   * @param limits how long runc may take
   * @param killExecTree whether what an exec has started ends with it
   * @throws StatusException UNKNOWN {@code OCI runtime create failed: …} and the like; nothing is left then
   * @throws IOException when the bundle or a fifo cannot be used; nothing is left then
   */
  public static Container create(ContainerSpec spec, String namespace, Outbox events, RuncLimits limits,
      boolean killExecTree)
      throws IOException, InterruptedException {
    var bundle = new Bundle(spec.bundle());
    var global = global(spec.options(), namespace, bundle);
    Map<String, String> environment = Aside.run("read loom.env in " + spec.bundle(), new Reading(spec.bundle()));
    var runc = new Runc(global, spec.bundle(), limits, environment);
    var taskEvents = new TaskEvents(spec.id(), events);
    var init = new InitProcess(spec, bundle, runc, taskEvents);
    init.create();
    init.created();
    return new Container(spec, bundle, runc, taskEvents, init, killExecTree);
  }

  private record Reading(Path bundle) implements Aside.Step<Map<String, String>> {
    @Override
    public Map<String, String> run() {
      return Environment.of(bundle);
    }
  }

  private static RuncGlobal global(Options options, String namespace, Bundle bundle) {
    Path root = options.getRoot().isEmpty() ? DEFAULT_ROOT : Path.of(options.getRoot());
    Optional<Path> criu =
        options.getCriuPath().isEmpty() ? Optional.empty() : Optional.of(Path.of(options.getCriuPath()));
    return new RuncGlobal(
        options.getBinaryName(), root.resolve(namespace), bundle.runcLog(), criu, options.getSystemdCgroup());
  }

  public String id() {
    return spec.id();
  }

  public Path bundle() {
    return spec.bundle();
  }

  /** The init process for an empty {@code execId}; NOT_FOUND for an exec that does not exist. */
  public ContainerProcess process(String execId) {
    if (execId.isEmpty()) {
      return init;
    }
    ExecProcess exec = execs.get(execId);
    if (exec == null) {
      throw new StatusException(Code.NOT_FOUND, "process does not exist " + execId + ": not found");
    }
    return exec;
  }

  /** All processes, the init first; those of execs that nobody has deleted too. */
  public List<ContainerProcess> processes() {
    var list = new ArrayList<ContainerProcess>();
    list.add(init);
    list.addAll(execs.values());
    return list;
  }

  /**
   * Starts a process that exists.
   *
   * @return its pid
   */
  public int start(String execId) throws IOException, InterruptedException {
    return process(execId).start();
  }

  /**
   * Adds a process, which {@link #start} lets run.
   *
   * @throws StatusException ALREADY_EXISTS for an id that is in use, UNKNOWN in a state that does not allow it
   */
  public void exec(ExecSpec exec) {
    if (execs.containsKey(exec.id())) {
      throw taken(exec.id());
    }
    init.checkExec();
    var process = new ExecProcess(exec, init, bundle, runc, events, trees);
    if (execs.putIfAbsent(exec.id(), process) != null) {
      process.abandon();
      throw taken(exec.id());
    }
    events.execAdded(exec.id());
  }

  private static StatusException taken(String execId) {
    return new StatusException(Code.ALREADY_EXISTS, "id " + execId + ": already exists");
  }

  /** Deletes a process; an exec is forgotten with that. */
  public Exit delete(String execId) throws IOException, InterruptedException {
    Exit exit = process(execId).delete();
    if (execId.isEmpty()) {
      abandonExecs();
    } else {
      execs.remove(execId);
    }
    return exit;
  }

  private void abandonExecs() {
    for (ExecProcess exec : execs.values()) {
      exec.abandon();
    }
  }

  /**
   * The statistics of the container's cgroup.
   *
   * @throws StatusException NOT_FOUND when there is none
   */
  public Any stats() throws IOException {
    try {
      return init.memory().cgroup().orElseThrow(() -> new NoSuchFileException("cgroup")).stats();
    } catch (NoSuchFileException e) {
      throw new StatusException(Code.NOT_FOUND, "cgroup does not exist: not found", e);
    }
  }

  /** The id of the exec whose process {@code pid} is, or nothing for any other process. */
  public Optional<String> execOf(int pid) {
    for (ExecProcess exec : execs.values()) {
      if (exec.pid() == pid && exec.runs()) {
        return Optional.of(exec.id());
      }
    }
    return Optional.empty();
  }

  /** Freezes all processes. */
  public void pause() throws InterruptedException {
    init.pausing().pause();
  }

  /** Lets frozen processes run again. */
  public void resume() throws InterruptedException {
    init.pausing().resume();
  }

  /** Sets resource limits; {@code resources} is the JSON of the OCI runtime spec. */
  public void update(String resources) throws InterruptedException {
    init.pausing().update(resources);
  }

  /** Saves the container with CRIU. */
  public void checkpoint(CheckpointSpec checkpoint) throws IOException, InterruptedException {
    init.checkpoint(checkpoint);
  }

  /**
   * The pids of all processes in the container. One that has ended still names its init until it is deleted: a
   * containerd that is started anew, from 1.7 on, takes a container without processes for one that was never created,
   * and would drop it together with its exit status.
   */
  public List<Integer> pids() throws IOException, InterruptedException {
    List<Integer> running = runningPids();
    return running.isEmpty() && init.status().equals("stopped") ? List.of(init.pid()) : running;
  }

  private List<Integer> runningPids() throws IOException, InterruptedException {
    Optional<Cgroup> cgroup = init.memory().cgroup();
    if (cgroup.isPresent()) {
      return cgroup.get().pids();
    }
    try {
      return runc.ps(spec.id());
    } catch (RuncException e) {
      throw new StatusException(e.code(), e.text(), e);
    }
  }

  /** Somebody else has removed the container: frees what we hold of it. */
  public void abandon() {
    Cleanup.run("abandon/" + spec.id(), init::abandon);
    abandonExecs();
  }
}
