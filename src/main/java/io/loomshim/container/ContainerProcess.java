package io.loomshim.container;

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

/**
 * A process of a container: what clients see of it, and the part of its life that is the same for an init and an exec:
 * its streams, its end, and what its deletion waits for. The public methods may be called from any thread; those that
 * only tell something read volatile fields and never wait.
 */
public abstract sealed class ContainerProcess permits InitProcess, ExecProcess {
  /** How long Delete waits for output that goes through us: 10 s is what containerd 2.2 settled on. */
  static final Duration DRAIN_WAIT_MAX = Duration.ofSeconds(10);

  final Container container;
  final Subject subject;
  final ExitLatch ended = new ExitLatch();
  volatile Optional<Child> child = Optional.empty();
  private final Kept kept;
  private final StdioPaths stdio;
  private boolean awaited; // of the thread that takes over

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

  /** The process has been made, or will be restored: from now on it and its streams outlive this daemon. */
  final void keep() {
    kept.begin(container.common.shelf(), child, streams);
  }

  /** The same for one that its caller does not have yet: while its pid file is there, either tells of it. */
  final void keep(Child made) {
    kept.begin(container.common.shelf(), Optional.of(made), streams);
  }

  /** It has been deleted: nothing of it outlives this daemon. */
  final void keepNothing() {
    kept.end();
  }

  /** A client has closed its stdin, as an earlier daemon has recorded of a process that had not been made. */
  final void resumeClosed(boolean closed) {
    stdinClosed = closed;
  }

  /**
   * Goes on with what an earlier daemon has recorded of a process that it had made, and has kept of it.
   *
   * @param reaped how it has ended, if that daemon has reaped it and not told its end
   * @return whether it may still run, so that its end is to be waited for
   */
  final boolean resume(ProcessEntry entry, Optional<ProcessEntry> reaped, boolean closed, Remains remains)
      throws IOException {
    stdinClosed = closed;
    if (entry.getPid() == 0) { // there is no process yet, and its start opens the streams anew
      remains.discard(subject.toString());
      return true;
    }
    Exit exit = Notes.exit(entry);
    var held = new ArrayList<Held>();
    Optional<Fd> pidfd = Optional.empty();
    Optional<Found> found = remains.take(subject.toString());
    List<String> words = found.isPresent() ? Labels.words(found.get().note()) : List.of();
    if (found.isPresent()) {
      for (int i = 0; i < found.get().fds().size(); i++) {
        String role = words.get(i + Kept.FIRST_ROLE);
        if (role.equals(Kept.PIDFD)) {
          pidfd = Optional.of(found.get().fds().get(i));
        } else {
          held.add(new Held(role, found.get().fds().get(i)));
        }
      }
    }
    boolean ends = exit.none();
    if (ends && reaped.isEmpty() && pidfd.isPresent()) {
      child = Optional.of(Child.adopted(entry.getPid(), pidfd.get()));
    } else { // without a pidfd only the record can tell its status
      pidfd.ifPresent(Fd::close);
      int status = ends ? reaped.map(ProcessEntry::getExitStatus).orElse(Child.STATUS_UNKNOWN) : exit.status();
      child = Optional.of(Child.gone(entry.getPid(), status));
    }
    streams = Optional.of(Streams.resume("io/" + subject, stdio, held));
    if (closed) {
      closeStreamOfInput(); // between the entry and the closing the daemon may have been killed
    }
    if (!ends) {
      ended.record(exit);
      ended.open();
    }
    if (found.isPresent()) {
      kept.resume(found.get().slot(), words, child, streams);
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

  /** Whether there was a process, and it has ended: its exit is recorded soon. */
  public final boolean dead() {
    return child.isPresent() && child.get().dead();
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
    closeStreamOfInput();
  }

  private void closeStreamOfInput() {
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

  /** The same, unless that has been done; those of an earlier daemon have closed with it. */
  final Streams openStreamsOnce() throws IOException, InterruptedException {
    return streams.isPresent() ? streams.get() : openStreams();
  }

  /** The streams, if they have been opened. */
  final Optional<Streams> openedStreams() {
    return streams;
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
    Threads.start("exit/" + subject, new ExitWatch(this, false));
  }

  /** An earlier daemon has waited for its end: {@link #awaitAsBefore} must follow. */
  final void awaitLater() {
    awaited = true;
  }

  /** Waits for the end again, if it was waited for; {@link #beforeEnd} is to be called soon. By the same thread. */
  final void awaitAsBefore() {
    if (awaited) {
      awaited = false;
      Threads.start("exit/" + subject, new ExitWatch(this, true));
    }
  }

  /** Finds out what must be known before the end. */
  abstract void beforeEnd();

  /** The process has ended: ends what it has left. */
  abstract void endRest();

  /** Records the end, publishes it and opens {@code ended}. */
  abstract void publishEnd(int status);
}
