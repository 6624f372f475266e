package io.loomshim.container;

import com.google.protobuf.Timestamp;
import io.loomshim.container.InitState.Operation;
import io.loomshim.event.Outbox;
import io.loomshim.linux.Child;
import io.loomshim.linux.Children;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Orphans;
import io.loomshim.log.Log;
import io.loomshim.proto.events.TaskDelete;
import io.loomshim.proto.events.TaskExit;
import io.loomshim.proto.events.TaskStart;
import io.loomshim.runc.KillFailure;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncCommand;
import io.loomshim.runc.RuncException;
import io.loomshim.stdio.ProcessIo;
import io.loomshim.stdio.StdioPaths;
import io.loomshim.threads.Threads;
import io.loomshim.ttrpc.Code;
import io.loomshim.ttrpc.StatusException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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

  /** Runtimes of which a plain signal to the init does what their kill command does. */
  private static final List<String> DIRECT_KILL = List.of("runc", "crun");

  private final ContainerSpec spec;
  private final Bundle bundle;
  private final RootFs rootFs;
  private final Runc runc;
  private final Outbox events;
  private final ReentrantLock operations = new ReentrantLock();
  private final ReentrantLock order = new ReentrantLock();
  private final CountDownLatch ended = new CountDownLatch(1);

  private volatile InitState state = InitState.CREATED;
  private volatile Exit exit = Exit.NONE;

  // Written by create before anybody else sees this object.
  private ProcessIo io;
  private Child child;

  InitProcess(ContainerSpec spec, Bundle bundle, Runc runc, Outbox events) {
    this.spec = spec;
    this.bundle = bundle;
    this.runc = runc;
    this.events = events;
    this.rootFs = new RootFs(bundle.rootfs(), spec.rootfs());
  }

  /**
   * Mounts the root file system, opens the streams and has runc create the container. When anything of it
   * fails, all of it is undone.
   */
  void create() throws IOException, InterruptedException {
    bundle.recordRuntime(spec.options(), runc.global(), !spec.rootfs().isEmpty());
    // somebody else's container of the same name must survive our failure
    boolean foreign = runc.global().root().resolve(spec.id()).toFile().exists();
    try {
      rootFs.mount();
      io = ProcessIo.open("io/" + spec.id(), spec.stdio(), owner());
      try (Children.Launch launch = Children.launching()) {
        assert launch != null;
        createInRunc();
      }
    } catch (IOException | InterruptedException | RuntimeException e) {
      Cleanup.run("undo/" + spec.id(), () -> undoCreate(foreign));
      throw e;
    }
  }

  private ProcessIo.Owner owner() {
    return ProcessIo.Owner.of(
        spec.options().getIoUid(), spec.options().getIoGid(), bundle.descriptorsAreCheckedAgain());
  }

  private void createInRunc() throws IOException, InterruptedException {
    Path pidFile = bundle.initPidFile();
    var create =
        new RuncCommand.Create(
            spec.id(),
            bundle.directory(),
            pidFile,
            Optional.empty(),
            spec.options().getNoPivotRoot(),
            spec.options().getNoNewKeyring());
    try {
      runc.run(create, io.childFds());
    } catch (RuncException e) {
      throw new StatusException(Code.UNKNOWN, e.logged("OCI runtime create failed"), e);
    }
    io.started();
    try {
      child = Child.claim(Bundle.readPid(pidFile));
    } catch (IOException e) {
      String text = "failed to retrieve OCI runtime container pid: " + e.getMessage();
      throw new StatusException(Code.UNKNOWN, text, e);
    }
  }

  private void undoCreate(boolean foreign) throws IOException, InterruptedException {
    if (!foreign) {
      try {
        runc.run(new RuncCommand.Delete(spec.id(), true));
      } catch (RuncException e) {
        Log.warn("failed to remove runc container", "id", spec.id(), "error", e.getMessage());
      }
    }
    if (child != null) {
      child.close();
    }
    if (io != null) {
      io.close();
    }
    rootFs.unmount();
  }

  /** Begins to wait for the end; to be called once, after the create event is in the outbox. */
  void watch() {
    Threads.start("exit/" + spec.id(), this::exitStory);
  }

  /** The story of the thread {@code exit/ID}. */
  private void exitStory() {
    boolean killAll = bundle.killAllOnExit();
    if (killAll) {
      Orphans.begin();
    }
    int status = awaitChild();
    if (killAll) {
      killAll();
      Orphans.end();
    }
    order.lock();
    try {
      exit = new Exit(status, Instant.now());
      state = state == InitState.DELETED ? state : InitState.STOPPED;
      events.add(
          TaskExit.newBuilder()
              .setContainerId(spec.id())
              .setId(spec.id())
              .setPid(pid())
              .setExitStatus(status)
              .setExitedAt(timestamp(exit.at()))
              .build());
    } finally {
      order.unlock();
      ended.countDown();
    }
  }

  private int awaitChild() {
    while (true) {
      try {
        return child.await();
      } catch (InterruptedException e) {
        // nobody interrupts this thread; its work must be done in any case
      }
    }
  }

  private void killAll() {
    try {
      runc.run(new RuncCommand.Kill(spec.id(), Child.SIGKILL, true));
    } catch (RuncException e) {
      Log.error("failed to kill init's children", "id", spec.id(), "error", e.logged("OCI runtime killall failed"));
    } catch (InterruptedException e) {
      Log.error("failed to kill init's children", "id", spec.id(), "error", "interrupted");
    }
  }

  @Override
  public int start() throws IOException, InterruptedException {
    operations.lockInterruptibly();
    try {
      order.lockInterruptibly();
      try {
        state.check(Operation.START);
        try {
          runc.run(new RuncCommand.Start(spec.id()));
        } catch (RuncException e) {
          throw new StatusException(Code.UNKNOWN, e.logged("OCI runtime start failed"), e);
        }
        state = InitState.RUNNING;
        events.add(TaskStart.newBuilder().setContainerId(spec.id()).setPid(pid()).build());
        return pid();
      } finally {
        order.unlock();
      }
    } finally {
      operations.unlock();
    }
  }

  @Override
  public void kill(int signal, boolean all) throws IOException, InterruptedException {
    InitState now = state;
    now.check(Operation.KILL);
    if (!all) {
      if (now == InitState.STOPPED) {
        throw new StatusException(Code.NOT_FOUND, "process already finished: not found");
      }
      if (now == InitState.RUNNING && directKill() && signalled(signal)) {
        return;
      }
    }
    try {
      runc.run(new RuncCommand.Kill(spec.id(), signal, all));
    } catch (RuncException e) {
      throw KillFailure.of(e);
    }
  }

  private boolean directKill() {
    Path binary = Path.of(runc.global().binary()).getFileName();
    return binary != null && DIRECT_KILL.contains(binary.toString());
  }

  /** Signals the init itself; false when the kernel refuses for a reason that runc puts into better words. */
  private boolean signalled(int signal) {
    try {
      child.kill(signal);
      return true;
    } catch (ErrnoException e) {
      if (e.errno() == Errno.ESRCH) {
        throw new StatusException(Code.NOT_FOUND, "process already finished: not found", e);
      }
      return false;
    }
  }

  @Override
  public void closeStdin() {
    io.closeStdin();
  }

  @Override
  public Exit delete() throws IOException, InterruptedException {
    operations.lockInterruptibly();
    try {
      state.check(Operation.DELETE);
      if (!io.awaitDrained(Deadline.in(DRAIN_WAIT_MAX))) {
        Log.warn("output was still not read at the end of the wait for it", "id", spec.id());
      }
      Optional<RuncException> failure = deleteInRunc();
      if (failure.isEmpty()) {
        // of a container that never started, runc has just killed the init
        ended.await(KILLED_WAIT_MAX.toMillis(), TimeUnit.MILLISECONDS);
      }
      io.close();
      unmount(failure);
      if (failure.isPresent()) {
        throw new StatusException(Code.UNKNOWN, failure.get().logged("failed to delete task"), failure.get());
      }
      state = InitState.DELETED;
      events.add(
          TaskDelete.newBuilder()
              .setContainerId(spec.id())
              .setPid(pid())
              .setExitStatus(exit.status())
              .setExitedAt(timestamp(exit.at()))
              .build());
      return exit;
    } finally {
      operations.unlock();
    }
  }

  private Optional<RuncException> deleteInRunc() throws InterruptedException {
    try {
      runc.run(new RuncCommand.Delete(spec.id(), false));
      return Optional.empty();
    } catch (RuncException e) {
      boolean gone = e.getMessage().contains("does not exist") || e.logged("").contains("does not exist");
      return gone ? Optional.empty() : Optional.of(e);
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
      child.kill(Child.SIGKILL);
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
    return child.pid();
  }

  @Override
  public String status() {
    return state.status();
  }

  @Override
  public StdioPaths stdio() {
    return spec.stdio();
  }

  @Override
  public Exit exit() {
    return exit;
  }

  @Override
  public Exit awaitExit() throws InterruptedException {
    ended.await();
    return exit;
  }

  private static Timestamp timestamp(Instant at) {
    return Timestamp.newBuilder().setSeconds(at.getEpochSecond()).setNanos(at.getNano()).build();
  }
}
