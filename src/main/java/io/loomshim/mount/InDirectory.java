package io.loomshim.mount;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.MountCalls;
import io.loomshim.threads.Threads;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Runs a system call with another working directory than the process has. */
final class InDirectory {
  /** What to do there. */
  interface Step {
    void run() throws ErrnoException;
  }

  private InDirectory() {}

  /**
   * Runs {@code step} in {@code directory} on an OS thread that is thrown away afterwards: its working
   * directory is its own from then on. An interrupt counts only after it has ended: who cleans
   * up after this must not find the step still under way.
   */
  static void run(Path directory, Step step) throws ErrnoException, InterruptedException {
    var done = new CompletableFuture<Optional<ErrnoException>>();
    Threads.startPlatform(
        "in" + directory,
        () -> {
          try {
            ErrnoException.check("unshare", MountCalls.unshareWorkingDirectory());
            ErrnoException.check("chdir " + directory, MountCalls.changeDirectory(directory.toString()));
            step.run();
            done.complete(Optional.empty());
          } catch (ErrnoException e) {
            done.complete(Optional.of(e));
          } catch (RuntimeException | Error e) {
            done.completeExceptionally(e);
          }
        });
    Optional<ErrnoException> failure;
    boolean interrupted = false;
    try {
      while (true) {
        try {
          failure = done.get();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
    if (failure.isPresent()) {
      throw failure.get();
    }
    if (interrupted) {
      throw new InterruptedException();
    }
  }
}
