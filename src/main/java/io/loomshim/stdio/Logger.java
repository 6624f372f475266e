package io.loomshim.stdio;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import io.loomshim.linux.Poller;
import io.loomshim.log.Log;
import io.loomshim.process.Child;
import io.loomshim.process.Spawn;
import io.loomshim.process.Spawner;
import io.loomshim.threads.Aside;
import io.loomshim.threads.Joins;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A program that takes the output of one process: {@code binary://PATH?KEY=VALUE…} (containerd's binary logging).
 * It reads stdout from its descriptor 3 and stderr from 4, and says that it is ready by closing 5 or writing a byte
 * to it. Its environment is CONTAINER_ID and CONTAINER_NAMESPACE, nothing else.
 *
 * <p>Started by the thread of the call that creates the process; a virtual thread of its own, {@code NAME/logger},
 * waits for its end. {@link #close} may be called from any thread.
 */
final class Logger implements AutoCloseable {
  /** How long a logger may take to say that it is ready. */
  static final Duration READY_WAIT_MAX = Duration.ofSeconds(30);

  /** How long it may take to end by itself once its input has ended; most do at once, and lose nothing then. */
  static final Duration END_WAIT_MAX = Duration.ofMillis(500);

  /** How long it may take after SIGTERM, before SIGKILL: what containerd gives it. */
  static final Duration TERM_WAIT_MAX = Duration.ofSeconds(12);

  /** How long the end of a killed one is waited for; one that is stuck in the kernel is left to its thread. */
  static final Duration KILL_WAIT_MAX = Duration.ofSeconds(1);

  /** The beginning of the role of its pidfd; its pid follows. */
  private static final String ROLE = "logger.";

  private final String name;
  private final Child child;
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile boolean closing;
  private volatile Runnable onEnd = Held::none;
  private final Fd stdout;
  private final Fd stderr;

  private Logger(String name, Child child, Fd stdout, Fd stderr) {
    this.name = name;
    this.child = child;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /**
   * Starts the program and waits until it is ready.
   *
   * @param name what its threads are called after
   * @throws StatusException DEADLINE_EXCEEDED when it did not get ready within {@link #READY_WAIT_MAX}
   * @throws IOException {@code failed to start binary process: …}, {@code failed to create stdout pipes: …}
   */
  static Logger start(String name, Target.Logger target, LogContext context) throws IOException, InterruptedException {
    try (Pipe out = pipe("stdout");
        Pipe err = pipe("stderr");
        Pipe ready = pipe("ready");
        Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0)) {
      var fds = List.of(nothing, nothing, nothing, out.reader(), err.reader(), ready.writer());
      Child child;
      var argv = new ArrayList<String>();
      argv.add(target.program());
      argv.addAll(target.arguments());
      try {
        var spawn = new Spawn(argv, context.environment(), Path.of("/"), List.of());
        child = Spawner.spawn("start " + target.program(), fds, () -> {
          Aside.stay(); // it may look at who has started it
          return spawn;
        });
      } catch (IOException e) {
        throw new IOException("failed to start binary process: " + e.getMessage(), e);
      }
      try {
        ready.writer().close();
        awaitReady(ready.reader());
        return started(name, child, out.writer().duplicate(), err.writer());
      } catch (IOException | InterruptedException | RuntimeException | Error e) {
        child.killGroup();
        child.close();
        throw e;
      }
    }
  }

  /** Goes on with the program of another daemon, which has its input already; nothing where there was none. */
  static Optional<Logger> resume(String name, Roles roles) {
    Optional<Held> held = roles.takeBeginning(ROLE);
    if (held.isEmpty()) {
      return Optional.empty();
    }
    int pid = Integer.parseInt(held.get().role().substring(ROLE.length()));
    var logger = new Logger(name, Child.adopted(pid, held.get().fd()), new Fd(-1), new Fd(-1));
    Threads.start(name + "/logger", logger::reap);
    return Optional.of(logger);
  }

  /** The program, for another daemon to wait for; nothing once it has ended. */
  List<Held> held() {
    return ended.getCount() == 0 ? List.of() : List.of(new Held(ROLE + child.pid(), child.pidfd()));
  }

  /** From now on {@code action} is run at its end. */
  void onEnd(Runnable action) {
    onEnd = action;
    if (ended.getCount() == 0) {
      action.run();
    }
  }

  /** Takes ownership of {@code stdout} only. */
  private static Logger started(String name, Child child, Fd stdout, Fd stderr) throws ErrnoException {
    try {
      var logger = new Logger(name, child, stdout, stderr.duplicate());
      Threads.start(name + "/logger", logger::reap);
      return logger;
    } catch (ErrnoException | RuntimeException | Error e) {
      stdout.close();
      throw e;
    }
  }

  /** What the thread {@code NAME/logger} does: the program may end before its process does. */
  private void reap() {
    boolean reaped = false;
    while (!reaped) {
      try {
        int status = child.await();
        reaped = true;
        if (!closing && status != 0) {
          Log.warn("logger failed", "name", name, "status", Integer.toString(status));
        }
      } catch (InterruptedException e) {
        // this thread is not interrupted; its work must be done in any case
      }
    }
    ended.countDown();
    onEnd.run();
  }

  private static Pipe pipe(String what) throws IOException {
    try {
      return Pipe.open();
    } catch (ErrnoException e) {
      throw new IOException("failed to create " + what + " pipes: " + e.getMessage(), e);
    }
  }

  /** A byte or the end of the pipe. */
  private static void awaitReady(Fd ready) throws IOException, InterruptedException {
    ready.nonBlocking(true);
    if (!Poller.shared().awaitReadable(ready, Deadline.in(READY_WAIT_MAX))) {
      throw new StatusException(
          Code.DEADLINE_EXCEEDED, "failed to read from logging binary: context deadline exceeded");
    }
  }

  /** Where to write what it is to read as stdout; stays this object's. */
  Fd stdout() {
    return stdout;
  }

  /** The same for stderr. */
  Fd stderr() {
    return stderr;
  }

  /** The process has its copies: from now on its end is the end of the logger's input. */
  void started() {
    stdout.close();
    stderr.close();
  }

  /** Ends the input, and the program if it does not end by itself. Not cut short by an interrupt. */
  @Override
  public void close() {
    closing = true;
    started();
    if (ended.getCount() > 0) {
      Thread stopping = Threads.start(name + "/logger-stop", this::stop);
      Joins.join(stopping, END_WAIT_MAX.plus(TERM_WAIT_MAX).plus(KILL_WAIT_MAX));
    }
  }

  /** What the thread {@code NAME/logger-stop} does. */
  private void stop() {
    try {
      if (!awaitEnd(END_WAIT_MAX)) {
        kill(Child.SIGTERM);
        if (!awaitEnd(TERM_WAIT_MAX)) {
          kill(Child.SIGKILL);
          awaitEnd(KILL_WAIT_MAX);
        }
      }
    } catch (InterruptedException e) {
      Log.warn("interrupted while waiting for a logger", "name", name);
    }
  }

  private boolean awaitEnd(Duration limit) throws InterruptedException {
    return ended.await(limit.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void kill(int signal) {
    try {
      child.kill(signal);
    } catch (ErrnoException e) {
      // it has just ended
    }
  }
}
