package io.loomshim.container;

import io.loomshim.container.InitState.Operation;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.ErrnoException;
import io.loomshim.log.Log;
import io.loomshim.process.Child;
import io.loomshim.process.Children;
import io.loomshim.proto.types.Status;
import io.loomshim.runc.RuncException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The first process of a container, and with it the container's life in runc.
 *
 * <p>Its state and the two locks, both of this container alone, are in {@link InitLife}. {@code operations} is held
 * across each runc command that changes the container, so that these follow one another. {@code order} is held from
 * before {@code runc start} until the start event is in the outbox, and by the exit thread while it records the end: an
 * exit event never overtakes its start event, however fast the process is.
 */
final class InitProcess extends ContainerProcess {
  /** How long Delete of a container that never started waits for the end of the init that runc has just killed. */
  private static final Duration KILLED_WAIT_MAX = Duration.ofSeconds(5);

  /** How long the init's exit is held back for the exits of execs, all of which have been killed by then. */
  private static final Duration EXECS_WAIT_MAX = Duration.ofSeconds(10);

  private final InitLife life;
  private final Signals signals;
  private final Followers followers;

  InitProcess(Container container) {
    super(container, "", container.spec.stdio());
    this.life = container.life;
    this.signals = new Signals(container);
    this.followers = new Followers(container.id(), container.bundle);
  }

  /** Publishes the creation and begins to wait for the end; to be called once. */
  void created() {
    container.events.created(container.spec, life.state(), pid());
    if (child.isPresent()) {
      awaitTheEnd();
    }
  }

  private void awaitTheEnd() {
    container.cgroup.find(pid());
    container.frozen.watch(container.cgroup.get());
    startExitThread();
  }

  /** What is found out while runc makes the container, as its end will need it. */
  Runnable meanwhile() {
    return followers;
  }

  @Override
  void beforeEnd() {
    followers.look();
  }

  @Override
  void endRest() {
    container.gate.close();
    if (life.look() == InitState.PAUSED && !container.freezing.thawed()) {
      resumeRest();
    }
    container.frozen.passing(); // what the runtime freezes from here on is not told
    if (followers.stay()) {
      killRest();
    }
    awaitExecs();
  }

  /** Thaws what the init has left; a failure is only logged. */
  private void resumeRest() {
    try {
      container.runc.resume();
    } catch (RuncException | InterruptedException e) {
      Log.error("failed to resume after the end", "id", id(), "error", String.valueOf(e.getMessage()));
    }
  }

  /** Kills what the init has left; a failure is only logged. */
  private void killRest() {
    try {
      container.runc.kill(Child.SIGKILL, true);
    } catch (RuncException e) {
      Log.error("failed to kill init's children", "id", id(), "error", e.logged("OCI runtime killall failed"));
    } catch (InterruptedException e) {
      Log.error("failed to kill init's children", "id", id(), "error", "interrupted");
    }
  }

  private void awaitExecs() {
    try {
      if (!container.gate.awaitNone(Deadline.in(EXECS_WAIT_MAX))) {
        Log.warn("execs outlive the init process", "id", id());
      }
    } catch (InterruptedException e) {
      Log.warn("wait for execs interrupted", "id", id());
    }
  }

  @Override
  void publishEnd(int status) {
    container.cgroup.end();
    var end = new Ended(this, new Exit(status, Instant.now()));
    life.order().lock();
    try {
      life.settle(pid(), status);
      container.events.exited(pid(), end.exit(), life.state() == InitState.DELETED, end);
    } finally {
      end.run(); // again, or because there was no memory for the event
      life.order().unlock();
      ended.open();
      container.frozen.close();
    }
    if (life.state() != InitState.DELETED) {
      container.runc.expectDelete();
    }
  }

  /** From here on clients see the end, whether or not they hear of it. */
  private record Ended(InitProcess process, Exit exit) implements Runnable {
    @Override
    public void run() {
      process.ended.record(exit);
      process.life.end();
    }
  }

  @Override
  int start() throws IOException, InterruptedException {
    life.operations().lockInterruptibly();
    try {
      container.common.undos().check(id(), container.runc.directory());
      if (!life.doneBefore(Operation.START) && startInOrder()) {
        awaitTheEnd();
      }
      return pid();
    } finally {
      life.operations().unlock();
    }
  }

  /** Starts or restores, and publishes that; true for a restored one, which has no exit thread yet. */
  private boolean startInOrder() throws IOException, InterruptedException {
    life.order().lockInterruptibly();
    try {
      life.beginStart();
      boolean restored = life.state() == InitState.CREATED_FROM_CHECKPOINT;
      if (restored) {
        child = Optional.of(restore());
        keep();
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
  void runs() {
    container.events.started(pid(), new Running(life));
  }

  /** A runc that fails may have let the process run all the same: then that is what State says. */
  private void startInRunc() throws IOException, InterruptedException {
    boolean waited = true;
    try {
      if (!container.runc.startNatively(child.orElseThrow())) {
        waited = container.runc.waitsForStart();
        container.runc.start();
      }
    } catch (IOException | InterruptedException | RuntimeException e) {
      if (waited && container.runc.startedMeanwhile()) {
        runs();
        life.unheard(Operation.START);
      }
      throw e;
    }
  }

  /** Of a restoration that fails nothing stays, so that it can be tried again. */
  private Child restore() throws IOException, InterruptedException {
    try (Children.Launch launch = Children.launching()) {
      assert launch != null;
      var work = container.bundle.criuRestoreWork(container.spec.options().getCriuWorkPath());
      return container.runc.restore(container.spec.checkpoint().orElseThrow(), work,
          container.bundle.initPidFile(), container.spec.options().getNoPivotRoot(), openStreamsOnce());
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      container.common.undos().run(id(), container.runc.directory(), e, container.runc::deleteByForce);
      throw e;
    }
  }

  @Override
  public void kill(int signal, boolean all) throws InterruptedException {
    signals.kill(signal, all);
  }

  @Override
  public boolean killAtOnce(int signal, boolean all) {
    return signals.killAtOnce(signal, all);
  }

  @Override
  Exit delete() throws IOException, InterruptedException {
    life.operations().lockInterruptibly();
    try {
      life.seen().check(Operation.DELETE);
      // one that was never started has written nothing, and holds its streams until runc ends it
      if (life.state() == InitState.STOPPED) {
        drain();
      }
      Optional<RuncException> failure = deleteInRunc();
      if (failure.isEmpty() && child.isPresent()) {
        // of a container that never started, runc has just killed the init
        ended.await(KILLED_WAIT_MAX.toMillis());
      }
      closeStreams();
      unmount(failure);
      if (failure.isPresent()) {
        throw failure.get();
      }
      container.events.deleted(pid(), ended.exit(), life::removed);
      keepNothing();
      return ended.exit();
    } finally {
      life.operations().unlock();
    }
  }

  private Optional<RuncException> deleteInRunc() throws InterruptedException {
    try {
      // what CRIU has left in runc's directory is known to runc alone
      boolean plain = life.state() == InitState.STOPPED && container.spec.checkpoint().isEmpty();
      if (!plain || !container.runc.deleteNatively(child.orElseThrow())) {
        container.runc.delete();
      }
      return Optional.empty();
    } catch (RuncException e) {
      return Optional.of(e);
    }
  }

  private void unmount(Optional<RuncException> failure) throws InterruptedException {
    try {
      container.rootFs.unmount();
    } catch (IOException e) {
      Log.warn("failed to unmount rootfs", "id", id(), "error", String.valueOf(e.getMessage()));
      if (failure.isEmpty()) {
        throw new StatusException(Code.UNKNOWN, "failed rootfs umount: " + e.getMessage(), e);
      }
    }
  }

  /** Gives up everything without runc and without events: others have removed the container. */
  void abandon() throws IOException, InterruptedException {
    try {
      if (child.isPresent()) {
        child.get().kill(Child.SIGKILL);
      }
    } catch (ErrnoException e) {
      // it has ended already
    }
    closeStreams();
    keepNothing();
    container.rootFs.unmount();
    life.removed();
  }

  @Override
  public Status status() {
    return container.pausing.underWay() ? Status.PAUSING : life.seen().status();
  }
}
