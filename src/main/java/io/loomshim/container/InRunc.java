package io.loomshim.container;

import io.loomshim.errors.Code;
import io.loomshim.errors.Scarcity;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Aside;
import io.loomshim.linux.Child;
import io.loomshim.linux.Children;
import io.loomshim.log.Log;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncCommand;
import io.loomshim.runc.RuncException;
import io.loomshim.stdio.Streams;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * One container as runc has it: the commands of its life, each with the text that clients know its failure by. Keeps no
 * state and no lock; {@link InitProcess} sees to it that those that change the container follow one another. Failures
 * are {@link StatusException}s with UNKNOWN unless something else is said.
 */
record InRunc(ContainerSpec spec, Bundle bundle, Runc runc) {
  private static final Duration LOOK_WAIT_MAX = Duration.ofSeconds(2);

  /** Where runc keeps the state of the container, while there is one. */
  Path directory() {
    return runc.global().root().resolve(spec.id());
  }

  /** Whether runc has a container of this name already, which is somebody else's. */
  boolean exists() throws InterruptedException {
    Path directory = directory();
    try {
      return Aside.run("stat " + directory, new Aside.Step<Boolean>() {
        @Override
        public Boolean run() {
          return directory.toFile().exists();
        }
      });
    } catch (IOException e) {
      return true; // nobody can tell
    }
  }

  /** Makes the init process with {@code streams}; it waits for {@link #start}. */
  Child create(Streams streams) throws IOException, InterruptedException {
    Launch.Command create =
        socket ->
            new RuncCommand.Create(
                spec.id(),
                bundle.directory(),
                bundle.initPidFile(),
                socket,
                spec.options().getNoPivotRoot(),
                spec.options().getNoNewKeyring());
    return launch(create, "OCI runtime create failed", streams);
  }

  /**
   * Whether the init waits for {@link #start}: runc and crun have a fifo in their directory until then. It tells
   * nothing of other runtimes, which have none.
   */
  boolean waitsForStart() throws InterruptedException {
    return look(new Waiting(fifo()));
  }

  /** Whether one that waited does so no more, but is there. */
  boolean startedMeanwhile() throws InterruptedException {
    return look(() -> Files.exists(directory()) && !Files.exists(fifo()));
  }

  private record Waiting(Path fifo) implements Aside.Step<Boolean> {
    @Override
    public Boolean run() {
      return Files.exists(fifo);
    }
  }

  private Path fifo() {
    return directory().resolve("exec.fifo");
  }

  /** False, too, if the file system of runc's root does not tell soon: a call is not held up for that. */
  private boolean look(Aside.Step<Boolean> step) throws InterruptedException {
    try {
      return Aside.run("stat " + fifo(), step, LOOK_WAIT_MAX);
    } catch (IOException e) {
      return false;
    }
  }

  /** Succeeds for one that runs: an earlier start has failed after it had done its work. */
  void start() throws InterruptedException {
    run(new RuncCommand.Start(spec.id()), "OCI runtime start failed", "already running");
  }

  /** Makes the processes that are in the checkpoint, the first of them with {@code streams}; they run. */
  Child restore(Streams streams) throws IOException, InterruptedException {
    String work = spec.options().getCriuWorkPath();
    Path workDirectory = work.isEmpty() ? bundle.directory().resolve("work") : Path.of(work);
    Launch.Command restore =
        socket ->
            new RuncCommand.Restore(
                spec.id(),
                spec.checkpoint().orElseThrow(),
                workDirectory,
                Optional.empty(),
                bundle.directory(),
                bundle.initPidFile(),
                socket,
                spec.options().getNoPivotRoot());
    return launch(restore, "OCI runtime restore failed", streams);
  }

  /** Runs the command that makes the init process, and takes charge of that. */
  private Child launch(Launch.Command command, String failure, Streams streams)
      throws IOException, InterruptedException {
    var failures = new Launch.Failures(failure, "failed to create OCI runtime console socket");
    try (Children.Launch launch = Children.launching()) {
      assert launch != null;
      Launch.run(runc, command, failures, streams);
      try {
        Path pidFile = bundle.initPidFile();
        return Child.claim(Aside.run("read " + pidFile, new Aside.Step<Integer>() {
          @Override
          public Integer run() throws IOException {
            return Bundle.readPid(pidFile);
          }
        }));
      } catch (IOException e) {
        String text = "failed to retrieve OCI runtime container pid: " + e.getMessage();
        throw new StatusException(Scarcity.code(e), text, e);
      }
    }
  }

  void pause() throws InterruptedException {
    try {
      runc.run(new RuncCommand.Pause(spec.id()));
    } catch (RuncException e) {
      throw new StatusException(e.code(), e.logged("OCI runtime pause failed"), e);
    }
  }

  /** Succeeds for one that is not paused: an earlier resume has failed after it had done its work. */
  void resume() throws InterruptedException {
    run(new RuncCommand.Resume(spec.id()), "OCI runtime resume failed", "not paused");
  }

  /** Resumes a container whose init has ended; a failure is only logged. */
  void resumeAtEnd() {
    quietly("resume after the end", new RuncCommand.Resume(spec.id()), "OCI runtime resume failed");
  }

  /** Kills what the init, which has ended, has left; a failure is only logged. */
  void killTheRest() {
    var everybody = new RuncCommand.Kill(spec.id(), Child.SIGKILL, true);
    quietly("kill init's children", everybody, "OCI runtime killall failed");
  }

  void update(String resources) throws InterruptedException {
    try {
      runc.run(new RuncCommand.Update(spec.id(), resources));
    } catch (RuncException e) {
      throw new StatusException(e.code(), e.text(), e);
    }
  }

  /** Removes a container without processes; tells what was in the way, unless it was gone already. */
  Optional<RuncException> delete() throws InterruptedException {
    try {
      runc.run(new RuncCommand.Delete(spec.id(), false));
      return Optional.empty();
    } catch (RuncException e) {
      // the words of runc, and of crun
      boolean gone = says(e, "does not exist") || says(e, "No such file or directory") && !exists();
      return gone ? Optional.empty() : Optional.of(e);
    }
  }

  /** Removes it with its processes; a failure is logged, and told if the container is still there. */
  void remove() throws RuncException, InterruptedException {
    try {
      runc.run(new RuncCommand.Delete(spec.id(), true));
    } catch (RuncException e) {
      Log.warn("failed to remove runc container", "id", spec.id(), "error", e.getMessage());
      if (exists()) {
        throw e;
      }
    }
  }

  private static boolean says(RuncException e, String words) {
    return e.text().contains(words) || e.logged("").contains(words);
  }

  /** Runs {@code command}, which has nothing to do when runc fails with the words {@code done}. */
  private void run(RuncCommand command, String failure, String done) throws InterruptedException {
    try {
      runc.run(command);
    } catch (RuncException e) {
      if (!says(e, done)) {
        throw new StatusException(e.code(), e.logged(failure), e);
      }
    }
  }

  /** Runs a command of the exit story, which goes on whatever becomes of it. */
  private void quietly(String what, RuncCommand command, String failure) {
    try {
      runc.run(command);
    } catch (RuncException e) {
      Log.error("failed to " + what, "id", spec.id(), "error", e.logged(failure));
    } catch (InterruptedException e) {
      Log.error("failed to " + what, "id", spec.id(), "error", "interrupted");
    }
  }
}
