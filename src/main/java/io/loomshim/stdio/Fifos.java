package io.loomshim.stdio;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Opens fifos (fifo(7)) without ever blocking a carrier. */
final class Fifos {
  /** How long an output fifo may lack a reader before the call that needs it fails. */
  static final Duration READER_WAIT_MAX = Duration.ofSeconds(30);

  private static final Duration PAUSE_MIN = Duration.ofMillis(1);
  private static final Duration PAUSE_MAX = Duration.ofMillis(20);
  private static final int S_IFMT = 0170000;
  private static final int S_IFIFO = 0010000;

  private Fifos() {}

  /** Whether {@code path} is a fifo; symbolic links are followed. */
  static boolean isFifo(String path) throws IOException {
    int mode = (Integer) Files.getAttribute(Path.of(path), "unix:mode");
    return (mode & S_IFMT) == S_IFIFO;
  }

  /** The reading end, non-blocking; does not wait for a writer. */
  static Fd openReader(String path) throws ErrnoException {
    return Fd.open(path, Fd.O_RDONLY | Fd.O_NONBLOCK, 0);
  }

  /**
   * The writing end, non-blocking, as soon as there is a reader. A client opens its end before it asks
   * for the process, so the first try is the rule.
   *
   * @throws StatusException DEADLINE_EXCEEDED when no reader came within {@link #READER_WAIT_MAX}
   */
  static Fd openWriter(String path) throws IOException, InterruptedException {
    return openWriter(path, READER_WAIT_MAX);
  }

  /** The same with another limit. */
  static Fd openWriter(String path, Duration limit) throws IOException, InterruptedException {
    Deadline deadline = Deadline.in(limit);
    Duration pause = PAUSE_MIN;
    while (true) {
      try {
        return Fd.open(path, Fd.O_WRONLY | Fd.O_NONBLOCK, 0);
      } catch (ErrnoException e) {
        if (e.errno() != Errno.ENXIO) {
          throw e;
        }
      }
      if (deadline.passed()) {
        throw new StatusException(
            Code.DEADLINE_EXCEEDED,
            "containerd-shim: opening w/o fifo \"" + path + "\" failed: context deadline exceeded");
      }
      Thread.sleep(pause);
      pause = pause.compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : PAUSE_MAX;
    }
  }
}
