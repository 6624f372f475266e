package io.loomshim.container;

import io.loomshim.cgroup.SubCgroup;
import io.loomshim.container.ExecState.Operation;
import io.loomshim.errors.Code;
import io.loomshim.errors.Scarcity;
import io.loomshim.errors.StatusException;
import io.loomshim.json.Json;
import io.loomshim.linux.Aside;
import io.loomshim.linux.Child;
import io.loomshim.linux.Children;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.ErrnoException;
import io.loomshim.log.Log;
import io.loomshim.runc.KillFailure;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncCommand;
import io.loomshim.stdio.StdioPaths;
import io.loomshim.stdio.Streams;
import io.loomshim.threads.Threads;
import io.loomshim.ttrpc.Budget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A process that a client has added to a container. {@code operations} is held across its start and its
 * deletion; what only tells something reads volatile fields and never waits.
 *
 * <p>Its end is waited for only once its start event is in the outbox, so the order of the two needs no lock.
 */
final class ExecProcess implements ContainerProcess {
  private static final Launch.Failures FAILURES =
      new Launch.Failures("OCI runtime exec failed", "failed to create runc console socket");

  /** The largest heap divided by this is for the specs of processes that have been added and not started. */
  private static final int SPECS_PART = 12;

  /** What an added process takes beside its spec. */
  private static final int EXEC_BYTES = 1024;

  private static final Budget SPECS = Budget.ofHeap(SPECS_PART);

  private final String execId;
  private final StdioPaths stdio;
  private final InitProcess init;
  private final Bundle bundle;
  private final Runc runc;
  private final TaskEvents events;
  private final ExecTrees trees;
  private final AtomicReference<String> process; // empty once it is not needed any more
  private final ReentrantLock operations = new ReentrantLock();
  private final ExitLatch ended = new ExitLatch();

  private volatile ExecState state = ExecState.CREATED;
  private volatile Optional<Child> child = Optional.empty();
  private volatile Optional<Streams> io = Optional.empty();

  // Of closeStdin and the start, which may meet at any moment: each writes its own before it reads the other's.
  private volatile boolean stdinClosed;
  private volatile Optional<Streams> opened = Optional.empty();

  // Of the thread that starts it, and then of the story of its end.
  private Optional<SubCgroup> tree = Optional.empty();

  /**
   * Reads the process object, but starts nothing.
   *
   * @throws StatusException INVALID_ARGUMENT when it is no JSON object, RESOURCE_EXHAUSTED when too much of that waits
   */
  ExecProcess(ExecSpec spec, InitProcess init, Bundle bundle, Runc runc, TaskEvents events, ExecTrees trees) {
    this.execId = spec.id();
    this.stdio = spec.stdio();
    this.init = init;
    this.bundle = bundle;
    this.runc = runc;
    this.events = events;
    this.trees = trees;
    String text = withTerminal(spec);
    if (!SPECS.take(cost(text))) {
      throw new StatusException(Code.RESOURCE_EXHAUSTED, "too many processes wait to be started");
    }
    this.process = new AtomicReference<>(text);
  }

  private static long cost(String process) {
    return EXEC_BYTES + process.length();
  }

  /** Nobody will start the process any more, or again. */
  private void forgetProcess() {
    String text = process.getAndSet("");
    if (!text.isEmpty()) {
      SPECS.give(cost(text));
    }
  }

  /** Everything that the client wrote stays as it is, except that the request decides about the terminal. */
  private static String withTerminal(ExecSpec spec) {
    try {
      Map<String, Object> object =
          Json.object(Json.read(spec.process()))
              .orElseThrow(() -> new IOException("not a JSON object"));
      var copy = new LinkedHashMap<>(object);
      copy.remove("terminal");
      if (spec.stdio().terminal()) {
        copy.put("terminal", true);
      }
      return Json.write(copy);
    } catch (IOException e) {
      String text = "spec of exec " + spec.id() + " cannot be read: " + e.getMessage() + ": invalid argument";
      throw new StatusException(Code.INVALID_ARGUMENT, text, e);
    }
  }

  @Override
  public int start() throws IOException, InterruptedException {
    operations.lockInterruptibly();
    try {
      state.check(Operation.START);
      Undo.check(init.id() + "/" + execId, bundle.execPidFile(execId));
      init.execs().checkOpen();
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
      events.execStarted(execId, pid());
      Threads.start("exit/" + init.id() + "/" + execId, this::exitStory);
      return pid();
    } finally {
      operations.unlock();
    }
  }

  private void startInRunc() throws IOException, InterruptedException {
    // before it counts: while a client's fifo has no reader, nobody's exit waits for this exec
    String name = "io/" + init.id() + "/" + execId;
    Streams streams = Launch.open(name, stdio, init.ioOwner(), init.logContext(execId));
    opened = Optional.of(streams);
    if (stdinClosed) {
      streams.closeStdin();
    }
    boolean entered = false;
    try (Children.Launch launch = Children.launching()) {
      assert launch != null;
      init.execs().enter();
      entered = true;
      tree = trees.plant(execId);
      child = Optional.of(execInRunc(streams));
      io = Optional.of(streams);
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      if (tree.isPresent()) {
        Cleanup.run("undo/" + init.id() + "/" + execId, () -> trees.fell(tree, execId));
      }
      if (entered) {
        init.execs().leave();
      }
      streams.close();
      throw e;
    }
  }

  private Child execInRunc(Streams streams) throws IOException, InterruptedException {
    Path pidFile = bundle.execPidFile(execId);
    Path processFile = bundle.processFile(execId);
    String spec = process.get();
    boolean ran = false;
    try {
      Aside.run("write " + processFile, () -> {
        bundle.writeProcess(execId, spec);
        return processFile;
      }, Files::deleteIfExists);
      Launch.Command exec = socket -> new RuncCommand.Exec(
          init.id(), processFile, pidFile, socket, tree.map(SubCgroup::argument));
      Launch.run(runc, exec, FAILURES, streams);
      ran = true;
    } catch (InterruptedException | RuntimeException | Error e) {
      endStray(pidFile, e);
      throw e;
    } finally {
      if (!ran) {
        Aside.finish("remove " + processFile, () -> Files.deleteIfExists(processFile));
      }
    }
    try {
      return Child.claim(Aside.run("read " + pidFile, () -> {
        Files.deleteIfExists(processFile);
        return Bundle.readPid(pidFile);
      }));
    } catch (InterruptedException e) {
      Aside.finish("remove " + processFile, () -> Files.deleteIfExists(processFile));
      endStray(pidFile, e);
      throw e;
    } catch (IOException e) {
      String text = "failed to retrieve OCI runtime exec pid: " + e.getMessage();
      endStray(pidFile, e);
      throw new StatusException(Scarcity.code(e), text, e);
    }
  }

  /** A runc that was killed, or handed no terminal over, may have started the process: then its pid file is there. */
  private void endStray(Path pidFile, Throwable why) {
    Undo.run(init.id() + "/" + execId, pidFile, why, () -> {
      int pid = Aside.run("read " + pidFile, () -> Files.exists(pidFile) ? Bundle.readPid(pidFile) : 0);
      if (pid > 0 && Children.ours(pid)) { // else it has ended and been reaped, and the pid may be a stranger's
        Child.claim(pid).close();
      }
      Aside.run("remove " + pidFile, () -> {
        Files.deleteIfExists(pidFile);
        Bundle.removeDraft(pidFile);
        return pidFile;
      });
    });
  }

  /** The story of the thread {@code exit/CONTAINER/EXEC}. */
  private void exitStory() {
    int status = Ends.await(child.orElseThrow());
    trees.fell(tree, execId); // before anybody hears of the end
    io.ifPresent(Streams::shutdown);
    init.memory().check();
    ended.record(new Exit(status, Instant.now()));
    state = state == ExecState.DELETED ? state : ExecState.STOPPED;
    events.execExited(execId, pid(), ended.exit());
    ended.open();
    init.execs().leave();
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

  /** A client may have nothing to write, or be done with it, before the process is started: that is remembered. */
  @Override
  public void closeStdin() {
    stdinClosed = true;
    opened.ifPresent(Streams::closeStdin);
  }

  @Override
  public void resize(int width, int height) throws IOException {
    state.check(Operation.RESIZE);
    if (io.isPresent()) {
      io.get().resize(width, height);
    }
  }

  @Override
  public Exit delete() throws IOException, InterruptedException {
    operations.lockInterruptibly();
    try {
      state.check(Operation.DELETE);
      if (io.isPresent()) {
        if (!io.get().awaitDrained(Deadline.in(InitProcess.DRAIN_WAIT_MAX))) {
          Log.warn("output was still not read at the end of the wait for it", "id", init.id(), "exec", execId);
        }
        io.get().close();
      }
      Path pidFile = bundle.execPidFile(execId);
      Aside.finish("remove " + pidFile, () -> Files.deleteIfExists(pidFile));
      forgetProcess();
      state = ExecState.DELETED;
      return ended.exit();
    } finally {
      operations.unlock();
    }
  }

  /** The container is gone: frees what is held of an exec that nobody has deleted. */
  void abandon() {
    forgetProcess();
    io.ifPresent(Streams::close);
  }

  @Override
  public String id() {
    return execId;
  }

  @Override
  public int pid() {
    return child.isPresent() ? child.get().pid() : 0;
  }

  /** Whether the process runs, so that its pid means it and no other. */
  boolean runs() {
    return state == ExecState.RUNNING;
  }

  @Override
  public String status() {
    String container = init.status();
    return container.equals("paused") || container.equals("pausing") ? container : state.status();
  }

  @Override
  public StdioPaths stdio() {
    return stdio;
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
