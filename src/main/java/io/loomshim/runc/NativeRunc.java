package io.loomshim.runc;

import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Does what {@code runc start} and {@code runc delete} do, without a process, for containers and versions of runc of
 * which that is known to be all ({@link KnownRuntimes}, {@link RuncState}). Whatever is unclear, unusual or in the way
 * is left to runc, which then finds the container as it was, or half deleted as by a runc that was killed. Errors have
 * the words of runc. One for each container; for the thread that would wait for runc.
 */
final class NativeRunc {
  /** How long a deletion may take before it is left to runc, which has a limit of its own. */
  private static final Duration DELETE_WAIT_MAX = Duration.ofSeconds(2);

  private final String id;
  private final CommandRunner runner;
  private final RuncCalls calls;
  private final KnownRuntimes known;
  private final Path directory;
  private final StateAhead state;

  /** For the container {@code id}; {@code calls} is told of what is done, {@code known} are the runtimes. */
  NativeRunc(String id, CommandRunner runner, RuncCalls calls, KnownRuntimes known) {
    this.id = id;
    this.runner = runner;
    this.calls = calls;
    this.known = known;
    this.directory = runner.settings().root().resolve(id);
    this.state = new StateAhead(id, directory);
  }

  /** A relative root is one from the directory in which runc runs. */
  private boolean mayDo() {
    return known.on() && runner.settings().root().isAbsolute();
  }

  /**
   * Has the runtime asked for its version, while none is known, and does {@code more}; waits for nothing. For the time
   * in which the runtime makes a container: it is needed once that is there.
   */
  Runnable meanwhile(Runnable more) {
    return new Runnable() {
      @Override
      public void run() {
        try {
          known.prepare(runner, id);
          more.run();
        } catch (OutOfMemoryError e) {
          // a full heap, or no thread: what is not known by then is found out when it is needed
        }
      }
    };
  }

  /** The container will be started or deleted soon: reads what that needs. Waits for nothing. */
  void expect() {
    if (mayDo()) {
      state.begin();
    }
  }

  /** What the runtime is, as far as that is known by now. */
  RuntimeVersion version() {
    return known.version(runner, id);
  }

  /**
   * Lets the init {@code pid} of the created container run, and returns when it does.
   *
   * @return false when nothing has been done and runc must do it
   * @throws RuncException in the words of runc, if the init has ended meanwhile, or has not begun within the limit of a
   *     command, or if the container's directory cannot be changed
   * @throws InterruptedException if this thread was interrupted; the init may run all the same then
   */
  boolean start(int pid) throws RuncException, InterruptedException {
    if (!mayDo()) {
      return false;
    }
    RuncCalls.Running running = calls.begin("start (native)", id);
    String outcome = RuncCalls.LEFT;
    try {
      outcome = new NativeStart(runner, known, state, id, pid).start() ? "0" : RuncCalls.LEFT;
      return outcome.equals("0");
    } catch (RuncException e) {
      outcome = e.timedOut() ? RuncCalls.TIMED_OUT : "1";
      throw e;
    } catch (InterruptedException e) {
      outcome = RuncCalls.INTERRUPTED;
      throw e;
    } finally {
      running.end(outcome);
    }
  }

  /** Whether the init {@code pid} runs although its fifo is there: who let it go was killed before it removed it. */
  boolean released(int pid) throws InterruptedException {
    try {
      return mayDo() && Aside.run("look at " + directory, () -> NativeStart.finish(directory, id, pid));
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Removes the container, whose init {@code pid} has been reaped, with its cgroups.
   *
   * @return false when runc must do it, or the rest of it
   * @throws InterruptedException if this thread was interrupted; the container may be half removed then
   */
  boolean delete(int pid) throws InterruptedException {
    if (!mayDo() || runner.settings().systemdCgroup()) {
      return false;
    }
    RuncCalls.Running running = calls.begin("delete (native)", id);
    String outcome = RuncCalls.LEFT;
    var givenUp = new AtomicBoolean();
    try {
      var step = new NativeDelete(runner, known, state, id, pid, givenUp);
      boolean done = Aside.run("remove " + directory, step, DELETE_WAIT_MAX);
      outcome = done ? "0" : RuncCalls.LEFT;
      return done;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      outcome = RuncCalls.INTERRUPTED;
      throw e;
    } finally {
      givenUp.set(true);
      running.end(outcome);
    }
  }
}
