package io.loomshim.runc;

import io.loomshim.errors.Scarcity;
import io.loomshim.errors.StatusException;
import io.loomshim.log.Log;
import io.loomshim.process.Child;
import io.loomshim.process.Children;
import io.loomshim.stdio.Attachment;
import io.loomshim.stdio.Streams;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The runtime of one container: one method for each of its commands. A method ends with its command, and a failure is a
 * {@link RuncException} with the text that clients know for that command. Keeps no state of the container and no lock:
 * its caller has the commands that change the container follow one another. May be called from any thread.
 */
public final class Runc {
  private static final String START_FAILED = "OCI runtime start failed";
  private static final String STARTED = "already running";

  private final String id;
  private final RuncSettings settings;
  private final Path bundle;
  private final CommandRunner runner;
  private final NativeRunc natives;
  private final RuncDirectory directory;

  /**
   * Makes the runtime of the container {@code id}.
   *
   * @param environment that of every command
   * @param calls is told of every command
   * @param known the runtimes of which some commands need no process
   */
  public Runc(String id, RuncSettings settings, Path bundle, RuncLimits limits, Map<String, String> environment,
      RuncCalls calls, KnownRuntimes known) {
    this.id = id;
    this.settings = settings;
    this.bundle = bundle;
    this.runner = new CommandRunner(settings, bundle, limits, environment, calls);
    this.natives = new NativeRunc(id, runner, calls, known);
    this.directory = new RuncDirectory(settings.root().resolve(id));
  }

  /** The container. */
  public String id() {
    return id;
  }

  public RuncSettings settings() {
    return settings;
  }

  /** The environment of every command, {@code NAME=value} each. */
  public List<String> environment() {
    return runner.environment();
  }

  /**
   * Makes the container with its init process, which waits for {@link #start}. Call within {@link Children#launching}.
   *
   * @param streams the init's, which are attached to it
   * @param meanwhile is run while the runtime works, and must not wait
   * @throws StatusException when it is a terminal, a stream or the pid file that fails; the container may exist then
   */
  public Child create(PidFile pidFile, boolean noPivot, boolean noNewKeyring, Streams streams, Runnable meanwhile)
      throws IOException, InterruptedException {
    try (Attachment attachment = attach(streams, "failed to create OCI runtime console socket")) {
      make(new RuncCommand.Create(id, bundle, pidFile.path(), attachment.consoleSocket(), noPivot, noNewKeyring,
          natives.meanwhile(meanwhile)), "OCI runtime create failed", attachment);
    }
    Child init = claim("container", Claiming.ofInit(pidFile));
    runner.created(init.pid());
    natives.expect();
    return init;
  }

  /**
   * Makes the processes that are in the checkpoint {@code image}, the first of them with {@code streams}; they run.
   * Call within {@link Children#launching}; throws what {@link #create} throws.
   *
   * @param work the directory for CRIU's log
   */
  public Child restore(Path image, Path work, PidFile pidFile, boolean noPivot, Streams streams)
      throws IOException, InterruptedException {
    try (Attachment attachment = attach(streams, "failed to create OCI runtime console socket")) {
      make(new RuncCommand.Restore(id, image, work, Optional.empty(), bundle, pidFile.path(),
          attachment.consoleSocket(), noPivot), "OCI runtime restore failed", attachment);
    }
    return claim("container", Claiming.ofInit(pidFile));
  }

  /**
   * Starts a further process in the container. Call within {@link Children#launching}. The process may exist even when
   * this fails: then {@code pidFile} may name it; else it is not there any more.
   *
   * @param process the process object, whose file is not there any more afterwards
   * @param cgroup where the process belongs, below the container's cgroup; nothing for that itself
   * @param made is told of it while the pid file names it, by another thread; has {@code streams} by then
   * @throws StatusException when it is a terminal, a stream or the pid file that fails
   */
  public Child exec(ProcessFile process, PidFile pidFile, Optional<String> cgroup, Streams streams,
      Consumer<Child> made) throws IOException, InterruptedException {
    boolean removed = false;
    try {
      try (Attachment attachment = attach(streams, "failed to create runc console socket")) {
        make(new RuncCommand.Exec(id, process, pidFile.path(), attachment.consoleSocket(), cgroup),
            "OCI runtime exec failed", attachment);
      }
      Child child = claim("exec", new Claiming(pidFile, Optional.of(process), made));
      removed = true;
      return child;
    } catch (UncheckedIOException e) {
      throw e.getCause(); // of the process file
    } finally {
      if (!removed) {
        process.giveUp();
      }
    }
  }

  private static Attachment attach(Streams streams, String failure) {
    try {
      return streams.attach();
    } catch (IOException e) {
      throw new StatusException(Scarcity.code(e), failure + ": " + e.getMessage(), e);
    }
  }

  /** Runs a command that makes a process, and attaches its streams. */
  private void make(RuncCommand command, String failure, Attachment attachment)
      throws RuncException, InterruptedException {
    try {
      if (attachment.consoleSocket().isEmpty()) {
        runner.run(command, attachment.childFds());
      } else if (command instanceof RuncCommand.Restore) {
        runner.runSilent(command); // what it restores would keep a pipe for its output open
      } else {
        runner.run(command);
      }
    } catch (RuncException e) {
      throw e.named(failure);
    }
    attachment.complete();
  }

  private static Child claim(String what, Claiming claiming) throws InterruptedException {
    try {
      return Aside.run("read " + claiming.file(), claiming, claiming);
    } catch (IOException e) {
      String text = "failed to retrieve OCI runtime " + what + " pid: " + e.getMessage();
      throw new StatusException(Scarcity.code(e), text, e);
    }
  }

  /**
   * Lets {@code init} run without a process of the runtime; false where that is not the same, and nothing has happened.
   * The init has waited for it, unless this returns false; else as {@link #start}.
   */
  public boolean startNatively(Child init) throws RuncException, InterruptedException {
    try {
      return natives.start(init.pid());
    } catch (RuncException e) {
      if (!e.says(STARTED)) {
        throw e.named(START_FAILED);
      }
      return true;
    }
  }

  /** Lets the init run. Succeeds for one that runs: an earlier start has failed after it had done its work. */
  public void start() throws RuncException, InterruptedException {
    run(new RuncCommand.Start(id), START_FAILED, STARTED);
  }

  /** Freezes all processes. */
  public void pause() throws RuncException, InterruptedException {
    try {
      runner.run(new RuncCommand.Pause(id));
    } catch (RuncException e) {
      throw e.named("OCI runtime pause failed");
    }
  }

  /** Thaws them. Succeeds for one that is not paused: an earlier resume has failed after it had done its work. */
  public void resume() throws RuncException, InterruptedException {
    run(new RuncCommand.Resume(id), "OCI runtime resume failed", "not paused");
  }

  /** Sets resource limits; {@code resources} is the JSON of the OCI runtime spec. */
  public void update(String resources) throws RuncException, InterruptedException {
    runner.run(new RuncCommand.Update(id, resources));
  }

  /** Sends a signal to the init, or to all processes; {@link KillFailure} knows what a failure means to the client. */
  public void kill(int signal, boolean all) throws RuncException, InterruptedException {
    runner.run(new RuncCommand.Kill(id, signal, all));
  }

  /** The pids of all processes. */
  public List<Integer> ps() throws RuncException, InterruptedException {
    return PsOutput.parse(runner.run(new RuncCommand.Ps(id)));
  }

  /** Saves the container with CRIU; a failure has the text of the command. */
  public void checkpoint(RuncCommand.Checkpoint checkpoint) throws RuncException, InterruptedException {
    runner.run(checkpoint);
  }

  /** What the runtime says of its command {@code exec}. */
  String execHelp() throws RuncException, InterruptedException {
    return runner.run(new RuncCommand.ExecHelp(id));
  }

  /** What the runtime has said that it is, as far as that is known by now; waits for nothing. */
  public RuntimeVersion version() {
    return natives.version();
  }

  /**
   * Removes a container whose init {@code ended} has been reaped, without a process of the runtime; false where that is
   * not the same, or not all is done: then {@link #delete} does what is left.
   */
  public boolean deleteNatively(Child ended) throws InterruptedException {
    return natives.delete(ended.pid());
  }

  /** The init has ended, and Delete will come: reads what that needs. Waits for nothing. */
  public void expectDelete() {
    natives.expect();
  }

  /** Removes a container without processes, or with a created init only. Succeeds for one that is gone already. */
  public void delete() throws RuncException, InterruptedException {
    try {
      runner.run(new RuncCommand.Delete(id, false));
    } catch (RuncException e) {
      // the words of runc, and of crun
      boolean gone = e.says("does not exist") || e.says("No such file or directory") && !exists();
      if (!gone) {
        throw e.named("failed to delete task");
      }
    }
  }

  /** Removes the container with its processes; a failure is logged, and thrown if the container is still there. */
  public void deleteByForce() throws RuncException, InterruptedException {
    try {
      runner.run(new RuncCommand.Delete(id, true));
    } catch (RuncException e) {
      Log.warn("failed to remove runc container", "id", id, "error", e.getMessage());
      if (exists()) {
        throw e;
      }
    }
  }

  /** Runs {@code command}, which has nothing to do when runc fails with the words {@code done}. */
  private void run(RuncCommand command, String failure, String done) throws RuncException, InterruptedException {
    try {
      runner.run(command);
    } catch (RuncException e) {
      if (!e.says(done)) {
        throw e.named(failure);
      }
    }
  }

  /** Where the runtime keeps the state of the container, while there is one. */
  public Path directory() {
    return directory.path();
  }

  /** Whether the runtime has a container of this name; true, too, if the file system of its root cannot tell. */
  public boolean exists() throws InterruptedException {
    return directory.exists();
  }

  /** Whether the init waits for {@link #start}, as far as runc's or crun's directory tells; others have no fifo. */
  public boolean waitsForStart() throws InterruptedException {
    return directory.waitsForStart();
  }

  /** Whether {@code init} runs although its fifo is there, which is removed then; only known of runc's own. */
  public boolean released(int init) throws InterruptedException {
    return natives.released(init);
  }

  /** Whether one that waited does so no more, but is there. */
  public boolean startedMeanwhile() throws InterruptedException {
    return directory.startedMeanwhile();
  }
}
