package io.loomshim.container;

import io.loomshim.container.InitState.Operation;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Aside;
import io.loomshim.linux.Child;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.ErrnoException;
import io.loomshim.log.Log;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncException;
import io.loomshim.stdio.LogContext;
import io.loomshim.stdio.ProcessIo;
import io.loomshim.stdio.StdioPaths;
import io.loomshim.stdio.Streams;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The first process of a container, and with it the container's life in runc.
 *
 * <p>Its state and the two locks, both of this container alone, are in {@link InitLife}. {@code operations} is held
 * across each runc command that changes the container, so that these follow one another. {@code order} is held from
 * before {@code runc start} until the start event is in the outbox, and by the exit story while it records the end: an
 * exit event never overtakes its start event, however fast the process is. What only tells something reads volatile
 * fields and never waits.
 */
final class InitProcess implements ContainerProcess {
  /** How long Delete waits for output that goes through us: 10 s is what containerd 2.2 settled on. */
  static final Duration DRAIN_WAIT_MAX = Duration.ofSeconds(10);

  /** How long Delete of a container that never started waits for the end of the init that runc has just killed. */
  private static final Duration KILLED_WAIT_MAX = Duration.ofSeconds(5);

  /** How long the init's exit is held back for the exits of execs, all of which have been killed by then. */
  private static final Duration EXECS_WAIT_MAX = Duration.ofSeconds(10);

  /** How long the story of the exit waits to know whether there are others to be killed. */
  private static final Duration BUNDLE_WAIT_MAX = Duration.ofSeconds(2);

  private final ContainerSpec spec;
  private final Bundle bundle;
  private final RootFs rootFs;
  private final Runc runc;
  private final InRunc container;
  private final TaskEvents events;
  private final ExecGate execs;
  private final Signals signals;
  private final OutOfMemory memory;
  private final Frozen frozen;
  private final Freezing freezing;
  private final InitLife life;
  private final Pausing pausing;
  private final ExitLatch ended = new ExitLatch();

  private volatile Optional<Child> child = Optional.empty(); // none before the start of a restored one

  // Written by create before anybody else sees this object.
  private Streams io;

  InitProcess(ContainerSpec spec, Bundle bundle, Runc runc, TaskEvents events) {
    this.spec = spec;
    this.bundle = bundle;
    this.runc = runc;
    this.container = new InRunc(spec, bundle, runc);
    this.events = events;
    this.rootFs = new RootFs(bundle.rootfs(), spec.rootfs(), runc.environment());
    this.execs = new ExecGate(spec.id());
    this.signals = new Signals(spec.id(), runc);
    this.frozen = new Frozen(spec.id(), signals.plain());
    InitState first = spec.checkpoint().isPresent() ? InitState.CREATED_FROM_CHECKPOINT : InitState.CREATED;
    this.life = new InitLife(first, frozen, events);
    this.memory = new OutOfMemory(events, life.order());
    this.freezing = new Freezing(spec.id(), container, memory, life::found);
    this.pausing = new Pausing(life, container, freezing, events);
  }

  /**
   * Mounts the root file system, opens the streams and has runc create the container, unless it is to be
   * restored by {@link #start}. When anything of it fails, all of it is undone.
   */
  void create() throws IOException, InterruptedException {
    Undo.check(spec.id(), container.directory());
    // somebody else's container of the same name must survive our failure
    boolean foreign = Aside.run("write options.json in " + bundle.directory(), new Aside.Step<Boolean>() {
      @Override
      public Boolean run() throws IOException, InterruptedException {
        bundle.recordRuntime(spec.options(), runc.global(), !spec.rootfs().isEmpty());
        return container.exists();
      }
    });
    try {
      rootFs.mount();
      io = Launch.open("io/" + spec.id(), spec.stdio(), ioOwner(), logContext(spec.id()));
      if (life.state() == InitState.CREATED) {
        child = Optional.of(container.create(io));
      }
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      Optional<Child> made = child;
      Undo.run(spec.id(), container.directory(), e, () -> undoCreate(foreign, made));
      throw e;
    }
  }

  /** Who must own the streams of this container's processes. */
  ProcessIo.Owner ioOwner() {
    return new ProcessIo.Owner(spec.options().getIoUid(), spec.options().getIoGid());
  }

  /** runc's root ends with the namespace. */
  LogContext logContext(String processId) {
    return new LogContext(processId, runc.global().root().getFileName().toString());
  }

  /** Can be repeated. What failed is told once all has been tried. */
  private void undoCreate(boolean foreign, Optional<Child> made) throws IOException, InterruptedException {
    if (!foreign) {
      try {
        container.remove();
      } catch (RuncException e) {
        if (!e.scarce()) {
          throw e;
        }
        closeIo(); // there may be no descriptors but these
        container.remove();
      }
    }
    closeIo();
    made.ifPresent(Child::close); // one that runc could not name is an orphan
    rootFs.unmount();
    Path pidFile = bundle.initPidFile();
    Aside.run("remove draft of " + pidFile, () -> {
      Bundle.removeDraft(pidFile);
      return pidFile;
    });
  }

  private void closeIo() {
    if (io != null) {
      io.close();
    }
  }

  /** Publishes the creation and begins to wait for the end; to be called once. */
  void created() {
    events.created(spec, pid());
    if (child.isPresent()) {
      awaitTheEnd();
    }
  }

  private void awaitTheEnd() {
    memory.watch(pid());
    frozen.watch(memory.cgroup());
    Threads.start("exit/" + spec.id(), this::exitStory);
  }

  /** The story of the thread {@code exit/ID}. */
  private void exitStory() {
    boolean killAll = killAllOnExit();
    int status = Ends.await(child.orElseThrow());
    execs.close();
    if (life.look() == InitState.PAUSED && !freezing.thawed()) {
      container.resumeAtEnd();
    }
    frozen.passing(); // what the runtime freezes from here on is not told
    if (killAll) {
      container.killTheRest();
    }
    awaitExecs();
    io.shutdown();
    memory.end();
    life.order().lock();
    try {
      ended.record(new Exit(status, Instant.now()));
      life.end();
      events.exited(pid(), ended.exit());
    } finally {
      life.order().unlock();
      ended.open();
      frozen.close();
    }
  }

  /** Always, if the bundle's file system does not tell soon: the exit is not held back for that. */
  private boolean killAllOnExit() {
    try {
      return Aside.run("read config.json in " + bundle.directory(), new Aside.Step<Boolean>() {
        @Override
        public Boolean run() {
          return bundle.killAllOnExit();
        }
      }, BUNDLE_WAIT_MAX);
    } catch (IOException | InterruptedException e) {
      return true;
    }
  }

  private void awaitExecs() {
    try {
      if (!execs.awaitNone(Deadline.in(EXECS_WAIT_MAX))) {
        Log.warn("execs outlive the init process", "id", spec.id());
      }
    } catch (InterruptedException e) {
      Log.warn("wait for execs interrupted", "id", spec.id());
    }
  }

  @Override
  public int start() throws IOException, InterruptedException {
    life.operations().lockInterruptibly();
    try {
      Undo.check(spec.id(), container.directory());
      if (!life.doneBefore(Operation.START) && startInOrder()) {
        awaitTheEnd();
      }
      return pid();
    } finally {
      life.operations().unlock();
    }
  }

  /** Starts or restores, and publishes that; true for a restored one, whose end nobody waits for yet. */
  private boolean startInOrder() throws IOException, InterruptedException {
    life.order().lockInterruptibly();
    try {
      life.seen().check(Operation.START);
      boolean restored = life.state() == InitState.CREATED_FROM_CHECKPOINT;
      if (restored) {
        child = Optional.of(restore());
      } else {
        startInRunc();
      }
      runs();
      return restored;
    } finally {
      life.order().unlock();
    }
  }

  /** Call only when holding {@code order}. */
  private void runs() {
    life.become(InitState.RUNNING);
    events.started(pid());
  }

  /** A runc that fails may have let the process run all the same: then that is what State says. */
  private void startInRunc() throws InterruptedException {
    boolean waited = container.waitsForStart();
    try {
      container.start();
    } catch (InterruptedException | RuntimeException e) {
      if (waited && container.startedMeanwhile()) {
        runs();
        life.unheard(Operation.START);
      }
      throw e;
    }
  }

  /** Of a restoration that fails nothing stays, so that it can be tried again. */
  private Child restore() throws IOException, InterruptedException {
    try {
      return container.restore(io);
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      Undo.run(spec.id(), container.directory(), e, container::remove);
      throw e;
    }
  }

  /** What pauses and resumes it, and changes and saves what runs. */
  Pausing pausing() {
    return pausing;
  }

  /** Saves the container with CRIU. */
  void checkpoint(CheckpointSpec checkpoint) throws IOException, InterruptedException {
    pausing.checkpoint(new Checkpoints(spec.id(), bundle, runc), checkpoint, io.files());
  }

  /** Says whether an exec may be added now. */
  void checkExec() {
    life.seen().check(Operation.EXEC);
  }

  /** What knows the cgroup and publishes that the container has run out of memory. */
  OutOfMemory memory() {
    return memory;
  }

  /** The execs that run. */
  ExecGate execs() {
    return execs;
  }

  @Override
  public void kill(int signal, boolean all) throws InterruptedException {
    InitState now = life.state();
    now.check(Operation.KILL);
    if (!all && now == InitState.STOPPED) {
      throw new StatusException(Code.NOT_FOUND, "process already finished: not found");
    }
    // a frozen process would not notice
    boolean alive = now.seen(frozen.now()) == now && now != InitState.PAUSED;
    boolean direct = !all && alive && !freezing.perhapsFrozen() && child.isPresent();
    if (!direct || !signals.direct(child.get(), signal)) {
      throughRunc(signal, all);
    }
    if (signal == Child.SIGKILL) {
      frozen.thawToDie(); // not every runtime does, and somebody may have frozen it just now
    }
  }

  private void throughRunc(int signal, boolean all) throws InterruptedException {
    frozen.passing(); // a signal to all may freeze it for a moment
    try {
      signals.throughRunc(signal, all);
    } finally {
      frozen.passed();
    }
  }

  @Override
  public void closeStdin() {
    io.closeStdin();
  }

  @Override
  public void resize(int width, int height) throws IOException {
    io.resize(width, height);
  }

  @Override
  public Exit delete() throws IOException, InterruptedException {
    life.operations().lockInterruptibly();
    try {
      life.seen().check(Operation.DELETE);
      // one that was never started has written nothing, and holds its streams until runc ends it
      if (life.state() == InitState.STOPPED && !io.awaitDrained(Deadline.in(DRAIN_WAIT_MAX))) {
        Log.warn("output was still not read at the end of the wait for it", "id", spec.id());
      }
      Optional<RuncException> failure = container.delete();
      if (failure.isEmpty() && child.isPresent()) {
        // of a container that never started, runc has just killed the init
        ended.await(KILLED_WAIT_MAX.toMillis());
      }
      io.close();
      unmount(failure);
      if (failure.isPresent()) {
        var e = failure.get();
        throw new StatusException(e.code(), e.logged("failed to delete task"), e);
      }
      life.removed();
      events.deleted(pid(), ended.exit());
      return ended.exit();
    } finally {
      life.operations().unlock();
    }
  }

  private void unmount(Optional<RuncException> failure) throws InterruptedException {
    try {
      rootFs.unmount();
    } catch (IOException e) {
      Log.warn("failed to unmount rootfs", "id", spec.id(), "error", String.valueOf(e.getMessage()));
      if (failure.isEmpty()) {
        throw new StatusException(Code.UNKNOWN, "failed rootfs umount: " + e.getMessage(), e);
      }
    }
  }

  /** Gives up everything without runc and without events: somebody else has removed the container. */
  void abandon() throws IOException, InterruptedException {
    try {
      if (child.isPresent()) {
        child.get().kill(Child.SIGKILL);
      }
    } catch (ErrnoException e) {
      // it has ended already
    }
    io.close();
    rootFs.unmount();
    life.removed();
  }

  @Override
  public String id() {
    return spec.id();
  }

  @Override
  public int pid() {
    return child.isPresent() ? child.get().pid() : 0;
  }

  @Override
  public String status() {
    return pausing.underWay() ? "pausing" : life.seen().status();
  }

  @Override
  public StdioPaths stdio() {
    return spec.stdio();
  }

  @Override
  public Exit exit() {
    return ended.exit();
  }

  @Override
  public Exit awaitExit() throws InterruptedException {
    return ended.await();
  }
}
