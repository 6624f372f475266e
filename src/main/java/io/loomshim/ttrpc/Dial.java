package io.loomshim.ttrpc;

import io.loomshim.errors.JdkTexts;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
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
   */
  static SocketChannel connect(Path socket, Duration timeout) throws IOException {
    long start = System.nanoTime();
    boolean missing = false;
    while (true) {
      missing |= !Files.exists(socket);
      try {
        return SocketChannel.open(UnixDomainSocketAddress.of(socket));
      } catch (SocketException e) {
        boolean late = Duration.ofNanos(System.nanoTime() - start).compareTo(timeout) >= 0;
        missing |= !Files.exists(socket);
        // a full queue fails on a virtual thread, whose sockets do not block in the kernel; connect(2)
        if (late || !missing && !JdkTexts.busy(e)) {
          throw e;
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
