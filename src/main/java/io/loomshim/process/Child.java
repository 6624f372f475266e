package io.loomshim.process;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Poller;
import io.loomshim.linux.ProcessCalls;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.function.IntConsumer;

/**
 * A child process of ours: one that we started, or one that fell to us as its subreaper. It stays a
 * zombie until {@link #await} reaps it, so its pid means this process and no other for as long as
 * this object has not seen its end.
 *
 * <p>One thread awaits; any thread may signal.
 */
public final class Child implements AutoCloseable {
  /** Added to the number of the signal that ended a process, as a shell does. */
  public static final int SIGNAL_BASE = 128;

  /** Status of a process that was reaped elsewhere, with its real one. */
  public static final int STATUS_UNKNOWN = 255;

  public static final int SIGTERM = 15;
  public static final int SIGKILL = ProcessCalls.SIGKILL;

  /** Between two tries to reap a process that is traced, should no signal come. */
  private static final long TRACED_PAUSE_NANOS_MAX = 1_000_000_000;

  private final int pid;
  private final Fd pidfd;
  private final boolean adopted;
  private IntConsumer onEnd = Child::nothing; // as the next, only the awaiting thread's
  private OptionalInt status = OptionalInt.empty();
  private volatile boolean ended;

  private Child(int pid, Fd pidfd, boolean adopted) {
    this.pid = pid;
    this.pidfd = pidfd;
    this.adopted = adopted;
  }

  /**
   * The process that {@code pidfd} stands for, which this takes ownership of: a child of a daemon before this one.
   * Someone else reaps it.
   */
  public static Child adopted(int pid, Fd pidfd) {
    return new Child(pid, pidfd, true);
  }

  /** A process that has ended and been reaped before. */
  public static Child gone(int pid, int status) {
    var child = new Child(pid, new Fd(-1), true);
    child.status = OptionalInt.of(status);
    child.ended = true;
    return child;
  }

  private static void nothing(int status) {
    // no one else wants to know
  }

  /** Has {@code action} run with the status as soon as that is known, while {@link #pidfd} is still open. */
  public void onEnd(IntConsumer action) {
    onEnd = action;
  }

  /** A descriptor that stands for the process, for another daemon to adopt it by; stays this object's. */
  public Fd pidfd() {
    return pidfd;
  }

  /**
   * Takes charge of the process {@code pid} of a container, a child that fell to us, alive or zombie.
   *
   * @throws ErrnoException ESRCH when there is no such process
   */
  public static Child claim(int pid) throws ErrnoException {
    return claim(pid, true);
  }

  /** The same for a program that we have started ourselves. */
  static Child started(int pid) throws ErrnoException {
    return claim(pid, false);
  }

  private static Child claim(int pid, boolean contained) throws ErrnoException {
    try {
      Children.claim(pid, contained);
      Fd pidfd = ProcessCalls.openPidfd(pid);
      if (contained) {
        ExitsMeanwhile.watch(pid, pidfd);
      }
      return new Child(pid, pidfd, false);
    } catch (ErrnoException | OutOfMemoryError e) { // no descriptor, no memory: it has no owner
      Children.release(pid);
      throw e;
    }
  }

  public int pid() {
    return pid;
  }

  /**
   * Waits for the end and reaps the process.
   *
   * @return the exit code, or 128 + n for a process that signal n ended
   */
  public int await() throws InterruptedException {
    return await(Deadline.NEVER).getAsInt();
  }

  /** The same, for at most {@code limit}; empty when the process still runs then. */
  public OptionalInt await(Duration limit) throws InterruptedException {
    return await(Deadline.in(limit));
  }

  /** The same, until {@code deadline}. */
  public OptionalInt await(Deadline deadline) throws InterruptedException {
    try {
      while (status.isEmpty()) {
        long signals = Orphans.heard();
        if (!Poller.shared().awaitReadable(pidfd, deadline)) {
          return OptionalInt.empty();
        }
        reap();
        if (status.isEmpty()) {
          pause(signals, deadline);
        }
      }
      return status;
    } catch (ErrnoException e) {
      throw new IllegalStateException("waiting for process " + pid, e);
    }
  }

  /** It has ended, but its tracer must have it first (ptrace(2)); when that lets it go there is a SIGCHLD. */
  private static void pause(long signals, Deadline deadline) throws InterruptedException {
    Orphans.awaitSignal(signals, Duration.ofNanos(Math.min(TRACED_PAUSE_NANOS_MAX, deadline.nanosLeft())));
  }

  private void reap() throws ErrnoException, InterruptedException {
    if (adopted) {
      status = OptionalInt.of(ForeignExit.await(pid, pidfd));
      onEnd.accept(status.getAsInt());
      ended = true;
      pidfd.close();
      ExitsMeanwhile.forget(pid);
      return;
    }
    var word = new int[1];
    int result = ProcessCalls.reap(pid, word);
    if (result == pid) {
      status = OptionalInt.of(decode(word[0]));
    } else if (result == -Errno.ECHILD) {
      status = OptionalInt.of(STATUS_UNKNOWN);
    } else if (result < 0 && result != -Errno.EINTR) {
      throw new ErrnoException("wait4 " + pid, -result);
    }
    if (status.isPresent()) {
      onEnd.accept(status.getAsInt());
      ended = true;
      pidfd.close();
      Children.release(pid);
    }
  }

  /** The encoding of wait(2): the low seven bits are the signal, 0 for a normal exit. */
  static int decode(int word) {
    int signal = word & 0x7f;
    return signal == 0 ? word >> 8 & 0xff : SIGNAL_BASE + signal;
  }

  /** Whether the process has been reaped. */
  public boolean ended() {
    return ended;
  }

  /** Whether all its threads have ended, reaped or not. */
  public boolean dead() {
    try {
      return ended || pidfd.ready();
    } catch (IllegalStateException e) {
      return true; // reaped by the awaiting thread just now
    }
  }

  /**
   * Sends {@code signal} to this process.
   *
   * @throws ErrnoException ESRCH when it has ended, EINVAL for no such signal, EPERM
   */
  public void kill(int signal) throws ErrnoException {
    int result = -Errno.ESRCH;
    if (!ended) {
      try {
        if (!pidfd.ready()) { // else all its threads have ended: the kernel takes signals for a zombie
          result = ProcessCalls.signal(pidfd, signal);
        }
      } catch (IllegalStateException e) {
        result = -Errno.ESRCH; // reaped by the awaiting thread just now
      }
    }
    ErrnoException.check("kill", result);
  }

  /**
   * Sends SIGKILL to the process group that this process leads, which is so for what {@link Spawner} has started: to
   * what it has started in turn and what has not left the group. Only for the awaiting thread, before the end is seen.
   */
  public void killGroup() {
    assert status.isEmpty();
    Children.kill(-pid);
  }

  /** Ends the process with SIGKILL if it still runs, and reaps it; not cut short by an interrupt. */
  @Override
  public void close() {
    if (status.isPresent()) {
      return;
    }
    boolean interrupted = Thread.interrupted();
    try {
      kill(SIGKILL);
    } catch (ErrnoException e) {
      // it has ended already, which await sees
    }
    while (status.isEmpty()) {
      try {
        await();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
