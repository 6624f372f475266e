package io.loomshim.container;

import io.loomshim.container.InitState.Operation;
import io.loomshim.errors.Code;
import io.loomshim.errors.Scarcity;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Child;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Orphans;
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
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The first process of a container, and with it the container's life in runc.
 *
 * <p>Two locks, both of this container alone. {@code operations} is held across each runc command that
 * changes the container, so that these follow one another. {@code order} is held from before {@code runc
 * start} until the start event is in the outbox, and by the exit story while it records the end: an exit
 * event never overtakes its start event, however fast the process is. What only tells something reads
 * volatile fields and never waits.
 */
final class InitProcess implements ContainerProcess {
  /** How long Delete waits for output that goes through us: 10 s is what containerd 2.2 settled on. */
  static final Duration DRAIN_WAIT_MAX = Duration.ofSeconds(10);

  /** How long Delete of a container that never started waits for the end of the init that runc has just killed. */
  private static final Duration KILLED_WAIT_MAX = Duration.ofSeconds(5);

  /** How long the init's exit is held back for the exits of execs, all of which have been killed by then. */
  private static final Duration EXECS_WAIT_MAX = Duration.ofSeconds(10);

  /** Between two tries to wait for the end of a process while there is no memory to do so. */
  private static final long SCARCE_PAUSE_NANOS = 100_000_000;

  private final ContainerSpec spec;
  private final Bundle bundle;
  private final RootFs rootFs;
  private final Runc runc;
  private final InRunc container;
  private final TaskEvents events;
  private final ExecGate execs;
  private final Signals signals;
  private final OutOfMemory memory;
  private final ReentrantLock operations = new ReentrantLock();
  private final ReentrantLock order = new ReentrantLock();
  private final ExitLatch ended = new ExitLatch();

  private volatile InitState state;
  private volatile boolean pausing;
  private volatile boolean perhapsFrozen; // from the beginning of a pause until it is known what became of it
  private volatile Optional<Child> child = Optional.empty(); // none before the start of a restored one

  // Written by create before anybody else sees this object.
  private Streams io;

  InitProcess(ContainerSpec spec, Bundle bundle, Runc runc, TaskEvents events) {
    this.spec = spec;
    this.bundle = bundle;
    this.runc = runc;
    this.container = new InRunc(spec, bundle, runc);
    this.events = events;
    this.rootFs = new RootFs(bundle.rootfs(), spec.rootfs());
    this.execs = new ExecGate(spec.id());
    this.signals = new Signals(spec.id(), runc);
    this.memory = new OutOfMemory(events, order);
    this.state = spec.checkpoint().isPresent() ? InitState.CREATED_FROM_CHECKPOINT : InitState.CREATED;
  }

  /**
   * Mounts the root file system, opens the streams and has runc create the container, unless it is to be
   * restored by {@link #start}. When anything of it fails, all of it is undone.
   */
  void create() throws IOException, InterruptedException {
    bundle.recordRuntime(spec.options(), runc.global(), !spec.rootfs().isEmpty());
    Undo.check(spec.id(), container.directory());
    // somebody else's container of the same name must survive our failure
    boolean foreign = container.exists();
    try {
      rootFs.mount();
      io = Launch.open("io/" + spec.id(), spec.stdio(), ioOwner(), logContext(spec.id()));
      if (state == InitState.CREATED) {
        child = Optional.of(container.create(io));
      }
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      Optional<Child> made = child;
      Undo.run(spec.id(), container.directory(), () -> undoCreate(foreign, made));
      throw e;
    }
  }

  /** Who must own the streams of this container's processes. */
  ProcessIo.Owner ioOwner() {
    return ProcessIo.Owner.of(
        spec.options().getIoUid(),
        spec.options().getIoGid(),
        bundle.descriptorsAreCheckedAgain(),
        spec.checkpoint().isPresent());
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
    made.ifPresentOrElse(Child::close, Orphans::sweepSoon); // runc may have made an init that it could not name
    rootFs.unmount();
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
    Threads.start("exit/" + spec.id(), this::exitStory);
  }

  /** The story of the thread {@code exit/ID}. */
  private void exitStory() {
    boolean killAll = bundle.killAllOnExit();
    if (killAll) {
      Orphans.begin();
    }
    int status = awaitEnd(child.orElseThrow());
    execs.close();
    if (state == InitState.PAUSED) {
      container.resumeAtEnd();
    }
    if (killAll) {
      container.killTheRest();
      Orphans.end();
    }
    awaitExecs();
    io.shutdown();
    memory.end();
    order.lock();
    try {
      ended.record(new Exit(status, Instant.now()));
      state = state == InitState.DELETED ? state : InitState.STOPPED;
      events.exited(pid(), ended.exit());
    } finally {
      order.unlock();
      ended.open();
    }
  }

  /** Waits for the end of {@code child} on a thread that nobody interrupts: its work must be done in any case. */
  static int awaitEnd(Child child) {
    while (true) {
      try {
        return child.await();
      } catch (InterruptedException e) {
        Log.warn("interrupted wait for the end of a process", "pid", Integer.toString(child.pid()));
      } catch (IllegalStateException | OutOfMemoryError e) {
        if (!Scarcity.of(e instanceof OutOfMemoryError ? e : e.getCause())) {
          throw e;
        }
        LockSupport.parkNanos(SCARCE_PAUSE_NANOS); // no memory, here or in the kernel: no exit is lost for that
      }
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
    operations.lockInterruptibly();
    try {
      if (startInOrder()) {
        awaitTheEnd();
      }
      return pid();
    } finally {
      operations.unlock();
    }
  }

  /** Starts or restores, and publishes that; true for a restored one, whose end nobody waits for yet. */
  private boolean startInOrder() throws IOException, InterruptedException {
    order.lockInterruptibly();
    try {
      state.check(Operation.START);
      boolean restored = state == InitState.CREATED_FROM_CHECKPOINT;
      if (restored) {
        child = Optional.of(container.restore(io));
      } else {
        container.start();
      }
      state = InitState.RUNNING;
      events.started(pid());
      return restored;
    } finally {
      order.unlock();
    }
  }

  /** Freezes all processes of the container. */
  void pause() throws InterruptedException {
    operations.lockInterruptibly();
    try {
      state.check(Operation.PAUSE);
      pausing = true;
      perhapsFrozen = true;
      try {
        container.pause();
        if (moved(InitState.RUNNING, InitState.PAUSED)) {
          events.paused();
        }
      } catch (InterruptedException | RuntimeException e) {
        undoPause(e);
        throw e;
      } finally {
        pausing = false;
      }
    } finally {
      operations.unlock();
    }
  }

  /** A runc that was killed or has crashed may have frozen the container; one that has refused has not. */
  private void undoPause(Exception failure) {
    if (failure.getCause() instanceof RuncException e && e.explained()) {
      perhapsFrozen = false;
    } else {
      Cleanup.run("undo/" + spec.id(), this::thaw);
    }
  }

  private void thaw() throws InterruptedException {
    container.resume();
    perhapsFrozen = false;
  }

  /** Lets the processes of a paused container run again. */
  void resume() throws InterruptedException {
    operations.lockInterruptibly();
    try {
      state.check(Operation.RESUME);
      thaw();
      if (moved(InitState.PAUSED, InitState.RUNNING)) {
        events.resumed();
      }
    } finally {
      operations.unlock();
    }
  }

  /** Changes the state unless the process has ended meanwhile. */
  private boolean moved(InitState from, InitState to) {
    order.lock();
    try {
      boolean expected = state == from;
      state = expected ? to : state;
      return expected;
    } finally {
      order.unlock();
    }
  }

  /** Sets resource limits; {@code resources} is the JSON of the OCI runtime spec. */
  void update(String resources) throws InterruptedException {
    operations.lockInterruptibly();
    try {
      state.check(Operation.UPDATE);
      container.update(resources);
    } finally {
      operations.unlock();
    }
  }

  /** Saves the container with CRIU. */
  void checkpoint(CheckpointSpec checkpoint) throws IOException, InterruptedException {
    operations.lockInterruptibly();
    try {
      state.check(Operation.CHECKPOINT);
      new Checkpoints(spec.id(), bundle, runc).save(checkpoint, io.files());
    } finally {
      operations.unlock();
    }
  }

  /** Says whether an exec may be added now. */
  void checkExec() {
    state.check(Operation.EXEC);
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
    InitState now = state;
    now.check(Operation.KILL);
    if (!all && now == InitState.STOPPED) {
      throw new StatusException(Code.NOT_FOUND, "process already finished: not found");
    }
    // a frozen process would not notice; runc lets it run for its end
    boolean alive = now == InitState.RUNNING || now == InitState.CREATED;
    boolean direct = !all && alive && !perhapsFrozen && child.isPresent();
    if (!direct || !signals.direct(child.get(), signal)) {
      signals.throughRunc(signal, all);
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
    operations.lockInterruptibly();
    try {
      state.check(Operation.DELETE);
      if (!io.awaitDrained(Deadline.in(DRAIN_WAIT_MAX))) {
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
      state = InitState.DELETED;
      events.deleted(pid(), ended.exit());
      return ended.exit();
    } finally {
      operations.unlock();
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
    state = InitState.DELETED;
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
    return pausing ? "pausing" : state.status();
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
