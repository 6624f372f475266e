package io.loomshim.container;

import io.loomshim.errors.Scarcity;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.Fd;
import io.loomshim.log.Log;
import io.loomshim.metrics.Subject;
import io.loomshim.process.Child;
import io.loomshim.proto.record.ProcessEntry;
import io.loomshim.proto.types.Status;
import io.loomshim.shelf.Found;
import io.loomshim.stdio.Held;
import io.loomshim.stdio.StdioPaths;
import io.loomshim.stdio.StreamFile;
import io.loomshim.stdio.Streams;
import io.loomshim.takeover.Labels;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * A process of a container: what clients see of it, and the part of its life that is the same for an init and an exec:
 * its streams, its end, and what its deletion waits for. The public methods may be called from any thread; those that
 * only tell something read volatile fields and never wait.
 */
public abstract sealed class ContainerProcess permits InitProcess, ExecProcess {
  /** How long Delete waits for output that goes through us: 10 s is what containerd 2.2 settled on. */
  static final Duration DRAIN_WAIT_MAX = Duration.ofSeconds(10);

  /** How long the news of an end may wait for the process's output to be moved; a busy machine has taken 50 ms. */
  static final Duration FORWARD_WAIT_MAX = Duration.ofMillis(100);

  /** Between two tries while there is no memory to wait. */
  private static final long SCARCE_PAUSE_NANOS = 100_000_000;

  final Container container;
  final Subject subject;
  final ExitLatch ended = new ExitLatch();
  volatile Optional<Child> child = Optional.empty();
  private final Kept kept;
  private final StdioPaths stdio;

  // Of closeStdin and the start, which may meet at any moment: each writes its own before it reads the other's.
  private volatile boolean stdinClosed;
  private volatile Optional<Streams> streams = Optional.empty();

  /** {@code execId}: empty for the init. */
  ContainerProcess(Container container, String execId, StdioPaths stdio) {
    this.container = container;
    this.subject = Subject.of(container.id(), execId);
    this.stdio = stdio;
    this.kept = new Kept(subject.toString());
  }

  /** The process has been made: from now on it and its streams outlive this daemon. */
  final void keep() {
    kept.begin(container.common.shelf(), child, streams);
  }

  /** The process has been reaped: its pidfd is not kept any more. */
  final void keepNoProcess() {
    kept.changed();
  }

  /**
   * Goes on with what an earlier daemon has recorded of a process that it had made, and has kept of it.
   *
   * @return whether it may still run, so that its end is to be waited for
   */
  final boolean resume(ProcessEntry entry, boolean closed, Remains remains) throws IOException {
    stdinClosed = closed;
    Exit exit = Notes.exit(entry);
    var held = new ArrayList<Held>();
    Optional<Fd> pidfd = Optional.empty();
    Optional<Found> found = remains.take(subject.toString());
    if (found.isPresent()) {
      List<String> words = Labels.words(found.get().note());
      for (int i = 0; i < found.get().fds().size(); i++) {
        String role = words.get(i + 2);
        if (role.equals(Kept.PIDFD)) {
          pidfd = Optional.of(found.get().fds().get(i));
        } else {
          held.add(new Held(role, found.get().fds().get(i)));
        }
      }
    }
    boolean ends = exit.equals(Exit.NONE);
    if (ends && pidfd.isPresent()) {
      child = Optional.of(Child.adopted(entry.getPid(), pidfd.get()));
    } else if (entry.getPid() != 0) { // without a pidfd its status can be told by nothing
      pidfd.ifPresent(Fd::close);
      child = Optional.of(Child.gone(entry.getPid(), ends ? Child.STATUS_UNKNOWN : exit.status()));
    }
    streams = Optional.of(Streams.resume("io/" + subject, stdio, held));
    if (!ends) {
      ended.record(exit);
      ended.open();
    }
    if (found.isPresent()) {
      kept.resume(found.get().slot(), child, streams);
    }
    return ends;
  }

  /** The container's id for its init, the exec id for an exec. */
  public final String id() {
    return subject.exec().isEmpty() ? subject.container() : subject.exec();
  }

  /** The pid on the host, 0 before there is one; stays after the end. */
  public final int pid() {
    return child.isPresent() ? child.get().pid() : 0;
  }

  /** Created, running, pausing, paused or stopped. */
  public abstract Status status();

  /** The streams as the client named them. */
  public final StdioPaths stdio() {
    return stdio;
  }

  /** How it ended, or {@link Exit#NONE}. */
  public final Exit exit() {
    return ended.exit();
  }

  /** Waits until the end has been recorded, or for an exec until its start has failed. */
  public final Exit awaitExit() throws InterruptedException {
    return ended.await();
  }

  /**
   * Lets the process run and publishes that it does.
   *
   * @return its pid
   */
  abstract int start() throws IOException, InterruptedException;

  /**
   * Sends {@code signal}.
   *
   * @param all to every process of the container; only an init knows it
   * @throws StatusException NOT_FOUND when it has ended, FAILED_PRECONDITION when it has not started
   */
  public abstract void kill(int signal, boolean all) throws IOException, InterruptedException;

  /** The same as {@link #kill} without waiting; false when nothing was sent and that must do it. */
  public abstract boolean killAtOnce(int signal, boolean all) throws IOException;

  /**
   * Lets its stdin end once the last writer outside is gone too; can be repeated. A client may have nothing to write,
   * or be done with it, before the process is started: that is remembered.
   */
  public final void closeStdin() {
    if (container.common.journal().keeps()) {
      container.common.journal().write(Notes.stdinClosed(subject.toString()));
    }
    stdinClosed = true;
    if (streams.isPresent()) {
      streams.get().closeStdin();
    }
  }

  /**
   * Tells the size of the client's window, in characters, to the terminal; does nothing without one.
   *
   * @param width and {@code height}: of both only the lower 16 bits count
   */
  public void resize(int width, int height) throws IOException {
    if (child.isPresent() && streams.isPresent()) {
      streams.get().resize(width, height);
    }
  }

  /**
   * Removes what is left of an ended process. Can be tried again when it fails.
   *
   * @return how it ended
   */
  abstract Exit delete() throws IOException, InterruptedException;

  /** Opens the client's ends of the streams, for the command that makes the process. */
  final Streams openStreams() throws IOException, InterruptedException {
    Streams opened = Streams.open("io/" + subject, stdio, container.ioOwner(), container.logContext(id()));
    streams = Optional.of(opened);
    if (stdinClosed) {
      opened.closeStdin();
    }
    return opened;
  }

  /** The streams, which must have been opened. */
  final Streams streams() {
    return streams.orElseThrow();
  }

  /** The pipes that the process has as standard streams. */
  final List<StreamFile> files() {
    return streams.isPresent() ? streams.get().files() : List.of();
  }

  /** Waits until the client has read what the ended process has written, but not for ever. */
  final void drain() throws InterruptedException {
    if (streams.isPresent() && !streams.get().awaitDrained(Deadline.in(DRAIN_WAIT_MAX))) {
      String text = "output was not read in time";
      if (subject.exec().isEmpty()) {
        Log.warn(text, "id", subject.container());
      } else {
        Log.warn(text, "id", subject.container(), "exec", subject.exec());
      }
    }
  }

  /** Closes the streams, if they have been opened; can be repeated. */
  final void closeStreams() {
    if (streams.isPresent()) {
      streams.get().close();
    }
  }

  /** Begins to wait for the end, on the thread {@code exit/ID} or {@code exit/ID/EXEC}; once there is a child. */
  final void startExitThread() {
    Threads.start("exit/" + subject, new ExitThread(this));
  }

  private record ExitThread(ContainerProcess process) implements Runnable {
    @Override
    public void run() {
      process.watchEnd();
    }
  }

  /** The work of the exit thread, which is never interrupted. */
  private void watchEnd() {
    beforeEnd();
    int status = awaitEnd();
    keepNoProcess();
    endRest();
    forwardOutput();
    publishEnd(status);
  }

  /**
   * Before anything tells of the end: clients up to containerd 1.6 close their ends of the output when they hear of it,
   * and lose what is not there.
   */
  private void forwardOutput() {
    if (streams.isEmpty()) {
      return;
    }
    streams.get().shutdown();
    try {
      streams.get().awaitForwarded(Deadline.in(FORWARD_WAIT_MAX));
    } catch (InterruptedException | OutOfMemoryError e) {
      Log.warn("an exit is published before its output was delivered", "id", subject.container());
    }
  }

  private int awaitEnd() {
    Child process = child.orElseThrow();
    while (true) {
      try {
        return process.await();
      } catch (InterruptedException e) {
        Log.warn("interrupted wait for the end of a process", "pid", Integer.toString(process.pid()));
      } catch (IllegalStateException | OutOfMemoryError e) {
        if (!Scarcity.of(e instanceof OutOfMemoryError ? e : e.getCause())) {
          throw e;
        }
        LockSupport.parkNanos(SCARCE_PAUSE_NANOS); // no memory, here or in the kernel: no exit is lost for that
      }
    }
  }

  /** Finds out what must be known before the end. */
  abstract void beforeEnd();

  /** The process has ended: ends what it has left. */
  abstract void endRest();

  /** Records the end, publishes it and opens {@code ended}. */
  abstract void publishEnd(int status);
}
