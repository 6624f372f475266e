package io.loomshim.runc;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Fd;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * {@code runc start} without a process, as one step of {@link Aside}: opens the fifo for which the init waits, reads
 * the byte that it writes, waits for the end, which is its execve(2), and removes the fifo (runc: {@code exec} and
 * {@code handleFifoResult} in libcontainer/container_linux.go; alike from 1.0.0-rc93 to 1.5.1). runc runs no hooks
 * there, takes no lock and writes nothing down. The step waits on its own thread: to hand the wait over to another
 * would take longer than the wait. Used once.
 */
final class NativeStart implements Aside.Step<Boolean> {
  /** Between two looks whether the init is there and the call still waits; runc looks every 100 ms. */
  private static final int LOOK_PAUSE_MILLIS = 20;

  private final CommandRunner runner;
  private final KnownRuntimes known;
  private final StateAhead ahead;
  private final String id;
  private final int pid;
  private final Path directory;
  private final Path fifo;
  private volatile boolean begun;
  private volatile boolean givenUp;

  /** For the container {@code id} with the init {@code pid}; {@code ahead} has its state. */
  NativeStart(CommandRunner runner, KnownRuntimes known, StateAhead ahead, String id, int pid) {
    this.runner = runner;
    this.known = known;
    this.ahead = ahead;
    this.id = id;
    this.pid = pid;
    this.directory = runner.settings().root().resolve(id);
    this.fifo = directory.resolve("exec.fifo");
  }

  /** False when runc must do it: nothing has happened. For the thread that would wait for runc. */
  boolean start() throws RuncException, InterruptedException {
    try {
      return Aside.run("read " + fifo, this, runner.limits().other());
    } catch (RuncException e) {
      throw e;
    } catch (IOException e) {
      if (begun) {
        throw overdue();
      }
      return false; // there was no thread for it
    } finally {
      givenUp = true;
    }
  }

  @Override
  public Boolean run() throws IOException, InterruptedException {
    begun = true;
    Optional<RuncState> state = waiting();
    if (state.isEmpty()) {
      return false;
    }
    try (Fd fd = Fd.open(fifo.toString(), Fd.O_RDONLY | Fd.O_NONBLOCK, 0)) {
      release(state.get(), fd);
    } catch (RuncException e) {
      throw e;
    } catch (IOException e) {
      throw said(String.valueOf(e.getMessage()));
    }
    remove();
    return true;
  }

  /** The state of the container, if all is as it must be. */
  private Optional<RuncState> waiting() throws InterruptedException {
    try {
      if (!known.knows(runner, id)) {
        return Optional.empty();
      }
      Optional<RuncState> state = ahead.take();
      // a container that others have made in its place is not ours to start
      boolean ours = state.isPresent() && state.get().id().equals(id) && state.get().pid() == pid;
      boolean waits = ours && !state.get().poststart() && !state.get().perhapsPaused() && state.get().lives()
          && Files.exists(fifo);
      return waits ? state : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Reads to the end. From the opening on the init goes its way, so runc cannot do it any more. */
  private void release(RuncState state, Fd fd) throws IOException, InterruptedException {
    var deadline = Deadline.in(runner.limits().other());
    var bytes = new byte[16];
    boolean written = false;
    while (true) {
      // before the init has opened it too, there is nothing to read, not even an end to wait for
      while (!fd.awaitReadableHere(LOOK_PAUSE_MILLIS)) {
        if (givenUp) {
          throw new InterruptedException("start of " + id); // like a runc that was killed
        }
        if (!written && !state.lives()) {
          written = fd.tryRead(bytes) > 0; // it may have written between the two looks
          if (!written) {
            throw said("container process is already dead");
          }
        }
        if (deadline.passed()) {
          throw overdue();
        }
      }
      int count = fd.tryRead(bytes);
      if (count == 0 && !written) {
        throw said("cannot start an already running container"); // so runc says it, though it has ended
      }
      if (count == 0) {
        return;
      }
      written |= count > 0;
    }
  }

  private void remove() throws RuncException {
    try {
      Files.deleteIfExists(fifo);
    } catch (IOException e) {
      throw said("remove " + fifo + ": " + reason(e));
    }
  }

  private RuncException overdue() {
    return runner.overdue(new RuncCommand.Start(id));
  }

  private RuncException said(String words) {
    return RuncException.said(runner.settings().binary(), words);
  }

  /** As Go has it. */
  private static String reason(IOException e) {
    String reason = e instanceof AccessDeniedException ? "permission denied"
        : e instanceof FileSystemException file ? file.getReason() : e.getMessage();
    return reason == null || reason.isEmpty() ? String.valueOf(e.getMessage())
        : reason.substring(0, 1).toLowerCase(Locale.ROOT) + reason.substring(1);
  }
}
