package io.loomshim.container;

import io.loomshim.cgroup.Cgroup;
import io.loomshim.cgroup.SubCgroup;
import io.loomshim.container.ExecState.Operation;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.ErrnoException;
import io.loomshim.log.Log;
import io.loomshim.process.Child;
import io.loomshim.process.Children;
import io.loomshim.proto.types.Status;
import io.loomshim.record.Saved;
import io.loomshim.runc.KillFailure;
import io.loomshim.runc.PidFile;
import io.loomshim.runc.ProcessFile;
import io.loomshim.stdio.Streams;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A process that a client has added to a container. {@code operations} is held across its start and its deletion.
 *
 * <p>Its end is waited for only once its start event is in the outbox, so the order of the two needs no lock.
 */
final class ExecProcess extends ContainerProcess {
  /** What an added process takes beside its spec. */
  private static final int EXEC_BYTES = 1024;

  private final PidFile pidFile;
  private final AtomicReference<String> process; // empty once it is not needed any more
  private final ReentrantLock operations = new ReentrantLock();
  private volatile ExecState state = ExecState.CREATED;

  // Of the thread that starts it, and then of the exit thread.
  private Optional<SubCgroup> tree = Optional.empty();

  /**
   * Reads the process object, but starts nothing.
   *
   * @throws StatusException INVALID_ARGUMENT when it is no JSON object, RESOURCE_EXHAUSTED when too much of that waits
   */
  ExecProcess(ExecSpec spec, Container container) {
    super(container, spec.id(), spec.stdio());
    this.pidFile = container.bundle.execPidFile(spec.id());
    String text = spec.processWithTerminal();
    if (!container.common.execSpecs().take(cost(text))) {
      throw new StatusException(Code.RESOURCE_EXHAUSTED, "too many processes are waiting to be started");
    }
    this.process = new AtomicReference<>(text);
  }

  private static long cost(String process) {
    return EXEC_BYTES + process.length();
  }

  /** The process will not be started any more, or again. */
  private void forgetProcess() {
    String text = process.getAndSet("");
    if (!text.isEmpty()) {
      container.common.execSpecs().give(cost(text));
    }
  }

  /** Goes on with what an earlier daemon has recorded and kept; {@link #goOn} must follow. */
  void resume(Saved.Exec saved, Remains remains) throws IOException {
    state = Notes.state(saved);
    if (state == ExecState.CREATED) {
      resumeClosed(saved.stdinClosed());
      remains.endStray(subject.toString()); // if its start was under way, what that has made goes: see goOn, too
      return;
    }
    forgetProcess();
    if (resume(saved.process().orElseThrow(), saved.reaped(), saved.stdinClosed(), remains)) {
      container.gate.enter();
    }
  }

  /** The container is whole again: waits for the end of one that runs, and ends what the start of another has made. */
  void goOn() {
    tree = container.trees.find(id());
    if (state == ExecState.RUNNING) {
      awaitLater();
    } else if (state == ExecState.CREATED) {
      endForeignStray();
      container.trees.end(tree, id());
      tree = Optional.empty();
    }
  }

  /** A command that was killed with an earlier daemon may have made the process: then its pid file is there. */
  private void endForeignStray() {
    try {
      int pid = Aside.run("read " + pidFile, pidFile::readIfExists);
      Optional<Cgroup> own = container.cgroup.get();
      if (pid > 0 && own.isPresent() && own.equals(Cgroup.of(pid))) { // else the pid is a stranger's by now
        Children.kill(pid);
      }
      var process = new ProcessFile(container.bundle.processFile(id()), "");
      Aside.finish("remove " + pidFile, () -> {
        pidFile.remove();
        pidFile.removeDraft();
        process.remove();
      });
    } catch (IOException | InterruptedException e) {
      Log.warn("what was left of the start of an exec was not looked for", "id", container.id(), "exec", id(), "error",
          String.valueOf(e.getMessage()));
    }
  }

  @Override
  int start() throws IOException, InterruptedException {
    operations.lockInterruptibly();
    try {
      state.check(Operation.START);
      container.common.undos().check(subject.toString(), pidFile.path());
      container.gate.checkOpen();
      EarlyMove.exec(container.runc);
      boolean started = false;
      try {
        startInRunc();
        started = true;
      } finally {
        if (!started) {
          ended.release();
        }
      }
      forgetProcess();
      state = ExecState.RUNNING;
      container.events.execStarted(id(), pid());
      startExitThread();
      return pid();
    } finally {
      operations.unlock();
    }
  }

  private void startInRunc() throws IOException, InterruptedException {
    // before it counts: while a client's fifo has no reader, the init's exit does not wait for this exec
    Streams streams = openStreams();
    boolean entered = false;
    try (Children.Launch launch = Children.launching()) {
      assert launch != null;
      container.gate.enter();
      entered = true;
      tree = container.trees.make(id());
      child = Optional.of(execInRunc(streams));
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      if (tree.isPresent()) {
        Cleanup.run("undo/" + subject, () -> container.trees.end(tree, id()));
      }
      if (entered) {
        container.gate.leave();
      }
      streams.close();
      throw e;
    }
  }

  private Child execInRunc(Streams streams) throws IOException, InterruptedException {
    EarlyMove.exec(container.runc);
    var file = new ProcessFile(container.bundle.processFile(id()), process.get());
    try {
      return container.runc.exec(file, pidFile, tree.map(SubCgroup::argument), streams, this::keep);
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      if (file.written()) {
        endStray(e);
      }
      throw e;
    }
  }

  /** A runc that was killed, or handed no terminal over, may have started the process: then its pid file is there. */
  private void endStray(Throwable why) {
    container.common.undos().run(subject.toString(), pidFile.path(), why, () -> {
      int pid = Aside.run("read " + pidFile, pidFile::readIfExists);
      if (pid > 0 && Children.ours(pid)) { // else it has ended and been reaped, and the pid may be a stranger's
        Child.claim(pid).close();
      }
      Aside.run("remove " + pidFile, () -> {
        pidFile.remove();
        pidFile.removeDraft();
        return pidFile;
      });
    });
  }

  @Override
  void beforeEnd() {
    // there is nothing to find out
  }

  @Override
  void endRest() {
    container.trees.end(tree, id()); // before a client hears of the end
  }

  @Override
  void publishEnd(int status) {
    container.cgroup.checkMemory();
    var end = new Ended(this, new Exit(status, Instant.now()));
    try {
      container.events.execExited(id(), pid(), end.exit(), end);
    } finally {
      end.run(); // again, or because there was no memory for the event
      ended.open();
      container.gate.leave();
    }
  }

  private record Ended(ExecProcess process, Exit exit) implements Runnable {
    @Override
    public void run() {
      process.ended.record(exit);
      process.state = process.state == ExecState.DELETED ? ExecState.DELETED : ExecState.STOPPED;
    }
  }

  @Override
  public void kill(int signal, boolean all) {
    state.check(Operation.KILL);
    if (child.isEmpty()) {
      throw new StatusException(Code.FAILED_PRECONDITION, "process not created: failed precondition");
    }
    if (state == ExecState.STOPPED) {
      throw new StatusException(Code.NOT_FOUND, "process already finished: not found");
    }
    try {
      child.get().kill(signal);
    } catch (ErrnoException e) {
      throw KillFailure.ofExec(e);
    }
  }

  @Override
  public boolean killAtOnce(int signal, boolean all) {
    kill(signal, all);
    return true;
  }

  @Override
  public void resize(int width, int height) throws IOException {
    state.check(Operation.RESIZE);
    super.resize(width, height);
  }

  @Override
  Exit delete() throws IOException, InterruptedException {
    operations.lockInterruptibly();
    try {
      state.check(Operation.DELETE);
      if (child.isPresent()) {
        drain();
        closeStreams();
      }
      forgetProcess();
      if (container.common.journal().keeps()) {
        container.common.journal().write(Notes.deleted(subject.toString(), pid(), ended.exit()));
      }
      state = ExecState.DELETED;
      keepNothing();
      return ended.exit();
    } finally {
      operations.unlock();
    }
  }

  /** The container is gone: frees what is held of an exec that was not deleted. */
  void abandon() {
    forgetProcess();
    if (child.isPresent()) { // else its start has its streams, and will fail
      closeStreams();
    }
    keepNothing();
  }

  /** Whether the process runs, so that its pid means it and no other. */
  boolean runs() {
    return state == ExecState.RUNNING;
  }

  @Override
  public Status status() {
    Status init = container.init.status();
    return init == Status.PAUSED || init == Status.PAUSING ? init : state.status();
  }
}
