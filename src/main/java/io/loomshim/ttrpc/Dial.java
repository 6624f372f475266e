package io.loomshim.ttrpc;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.PolledSocket;
import io.loomshim.linux.SocketCalls;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Connects to a Unix-domain socket that may not exist yet. Runs on the thread of the caller. */
final class Dial {
  /** Milliseconds between two attempts: those of containerd's own dialer. */
  private static final long RETRY_MILLIS = 10;

  private Dial() {}

  /**
   * Tries at least once, and again until {@code timeout} has passed while the socket is missing or its queue is full. A
   * socket that was missing at first is being made: it may refuse for a moment, between bind(2) and listen(2).
   *
   * @throws ErrnoException {@code connect PATH: …}
   */
  static SocketStream connect(Path socket, Duration timeout) throws IOException {
    long start = System.nanoTime();
    boolean missing = false;
    while (true) {
      missing |= !Files.exists(socket);
      Fd fd = SocketCalls.open();
      boolean connected = false;
      try {
        int result = SocketCalls.connect(fd, socket);
        if (result == 0) {
          var stream = new SocketStream(new PolledSocket(fd), false);
          connected = true;
          return stream;
        }
        boolean late = Duration.ofNanos(System.nanoTime() - start).compareTo(timeout) >= 0;
        missing |= !Files.exists(socket);
        if (late || !missing && result != -Errno.EAGAIN) {
          throw new ErrnoException("connect " + socket, -result);
        }
      } finally {
        if (!connected) {
          fd.close();
        }
      }
      pause();
    }
  }

  private static void pause() throws InterruptedIOException {
    try {
      Thread.sleep(RETRY_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while connecting");
    }
  }
}
