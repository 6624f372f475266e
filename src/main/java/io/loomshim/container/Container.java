package io.loomshim.container;

import com.google.protobuf.Any;
import io.loomshim.cgroup.Cgroup;
import io.loomshim.checkpoint.CheckpointSpec;
import io.loomshim.checkpoint.Checkpoints;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.process.Child;
import io.loomshim.proto.types.Status;
import io.loomshim.record.Saved;
import io.loomshim.runc.Runc;
import io.loomshim.stdio.LogContext;
import io.loomshim.stdio.ProcessIo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One container: its fields are all that is known of it. Its parts and its processes use them by way of this object.
 * May be used from any thread; the locks are in {@link InitLife} and in each {@link ExecProcess}.
 */
public final class Container {
  final ContainerSpec spec;
  final Common common;
  final Bundle bundle;
  final Runc runc;
  final TaskEvents events;
  final RootFs rootFs;
  final InitLife life;
  final ContainerCgroup cgroup;
  final Frozen frozen;
  final Freezing freezing;
  final Pausing pausing;
  final ExecGate gate;
  final ExecTrees trees;
  final InitProcess init;
  private final ConcurrentHashMap<String, ExecProcess> execs = new ConcurrentHashMap<>();

  /** Makes one that does not exist yet: {@link Creation} creates it. */
  Container(ContainerSpec spec, Common common, Bundle bundle, Runc runc) {
    this.spec = spec;
    this.common = common;
    this.bundle = bundle;
    this.runc = runc;
    this.events = new TaskEvents(spec.id(), common.events());
    this.rootFs = new RootFs(bundle.rootfs(), spec.rootfs(), runc::environment, this::keep);
    this.frozen = new Frozen(spec.id(), runc.settings().likeRunc());
    InitState first = spec.checkpoint().isPresent() ? InitState.CREATED_FROM_CHECKPOINT : InitState.CREATED;
    this.life = new InitLife(first, frozen, events);
    this.cgroup = new ContainerCgroup(spec.id(), new OutOfMemory(events, life.order()), common.journal());
    this.freezing = new Freezing(runc, cgroup, life);
    this.pausing = new Pausing(life, runc, freezing, events);
    this.gate = new ExecGate(spec.id());
    this.trees = new ExecTrees(common.killExecTree(), runc, common.execHelp(), cgroup);
    this.init = new InitProcess(this);
  }

  private Runnable keep(Child helper) {
    return common.calls().keep(RootFs.HELPER, spec.id(), helper)::release;
  }

  /** Goes on with what a daemon that was killed has left; to be called once, before anything else. */
  void resume(Saved.Container saved, Remains remains) throws IOException, InterruptedException {
    for (Saved.Exec one : saved.execs()) {
      var exec = new ExecProcess(Notes.exec(one), this);
      execs.put(one.id(), exec);
      exec.resume(one, remains);
    }
    cgroup.resume(Notes.cgroup(saved.cgroup()), Notes.told(saved.kills()));
    Restoration.init(this, saved, remains);
    for (ExecProcess exec : execs.values()) {
      exec.goOn();
    }
  }

  /** Waits for the ends that an earlier daemon has waited for; once, by the thread that takes over. */
  public void awaitEnds() {
    init.awaitAsBefore();
    for (ExecProcess exec : execs.values()) {
      exec.awaitAsBefore();
    }
  }

  /**
   * Does what {@link #resume} has left for later, as no client asks for it: finds out what must be known before the
   * end of the init, and is told of kills for want of memory again.
   */
  public void goOn() {
    if (init.exit().none()) {
      cgroup.goOn();
      init.beforeEnd();
    }
  }

  public String id() {
    return spec.id();
  }

  public Path bundle() {
    return spec.bundle();
  }

  /** Who must own the streams of its processes. */
  ProcessIo.Owner ioOwner() {
    return new ProcessIo.Owner(spec.options().getIoUid(), spec.options().getIoGid());
  }

  /** For a logger that takes the output of the process {@code processId}. */
  LogContext logContext(String processId) {
    return new LogContext(processId, common.namespace());
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

  /** All processes, the init first; execs that have ended are among them until they are deleted. */
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
    life.seen().check(InitState.Operation.EXEC);
    var process = new ExecProcess(exec, this);
    if (execs.putIfAbsent(exec.id(), process) != null) {
      process.abandon();
      throw taken(exec.id());
    }
    events.execAdded(exec);
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
   * The statistics of its cgroup.
   *
   * @throws StatusException NOT_FOUND when there is none
   */
  public Any stats() throws IOException {
    return cgroup.stats();
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
  public void pause() throws IOException, InterruptedException {
    pausing.pause();
  }

  /** Lets frozen processes run again. */
  public void resume() throws IOException, InterruptedException {
    pausing.resume();
  }

  /** Whether it is frozen, or not, as a client had asked an earlier daemon for; that is told if it was not yet. */
  public boolean settled(boolean frozen) throws InterruptedException {
    return pausing.settle(frozen);
  }

  /** Sets resource limits; {@code resources} is the JSON of the OCI runtime spec. */
  public void update(String resources) throws IOException, InterruptedException {
    pausing.update(resources);
  }

  /** Saves the container with CRIU. */
  public void checkpoint(CheckpointSpec checkpoint) throws IOException, InterruptedException {
    pausing.checkpoint(new Checkpoints(bundle.criuWork(), bundle.criuLog(), runc), checkpoint, init.files());
  }

  /**
   * The pids of all processes in the container. One that has ended still names its init until it is deleted: a
   * containerd that is started anew, from 1.7 on, takes a container without processes for one that was never created,
   * and would drop it together with its exit status.
   */
  public List<Integer> pids() throws IOException, InterruptedException {
    Optional<Cgroup> known = cgroup.get();
    List<Integer> running = known.isPresent() ? known.get().pids() : runc.ps();
    return running.isEmpty() && init.status() == Status.STOPPED ? List.of(init.pid()) : running;
  }

  /** Others have removed the container: frees what is held of it. */
  void abandon() {
    Cleanup.run("abandon/" + spec.id(), init::abandon);
    abandonExecs();
  }
}
