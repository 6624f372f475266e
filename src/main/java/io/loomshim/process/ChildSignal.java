package io.loomshim.process;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.ProcessCalls;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * SIGCHLD, which the kernel sends when a child ends and when one that could not be reaped can be. Several at once may
 * come as one.
 *
 * <p>The launcher starts the JVM with the signal blocked, all threads inherit that, and it can be read from a
 * descriptor (signalfd(2)). Where it is not blocked the kernel gives it to any thread, which ignores it; then a handler
 * of the JVM's takes it, which makes a thread each time.
 */
final class ChildSignal {
  /** A signalfd_siginfo; what is in it tells of one child only, so it is not looked at. */
  private static final int INFO_BYTES = 128;

  private final Optional<Fd> descriptor;
  private final Semaphore handled = new Semaphore(0);
  private final byte[] info = new byte[INFO_BYTES];

  private ChildSignal(Optional<Fd> descriptor) {
    this.descriptor = descriptor;
  }

  /**
   * Begins to take the signal; one thread waits for it.
   *
   * @throws ErrnoException EMFILE and the like; what comes until the next try is not told
   */
  static ChildSignal take() throws ErrnoException {
    var signal = new ChildSignal(open());
    if (signal.descriptor.isEmpty()) {
      sun.misc.Signal.handle(new sun.misc.Signal("CHLD"), number -> signal.handled.release());
    }
    return signal;
  }

  private static Optional<Fd> open() throws ErrnoException {
    if (!ProcessCalls.blocked(ProcessCalls.SIGCHLD)) {
      return Optional.empty();
    }
    return Optional.of(ProcessCalls.openSignalfd(ProcessCalls.SIGCHLD));
  }

  /** Waits until the signal has come since the last time. */
  void await() throws IOException, InterruptedException {
    if (descriptor.isPresent()) {
      descriptor.get().read(info);
    } else {
      handled.acquire();
      handled.drainPermits();
    }
  }

  /** Whether it has come since the last time; from now on, that is counted as heard. */
  boolean again() throws ErrnoException {
    return descriptor.isPresent() ? descriptor.get().tryRead(info) > 0 : handled.drainPermits() > 0;
  }
}
