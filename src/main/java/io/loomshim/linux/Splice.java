package io.loomshim.linux;

import java.io.IOException;

/**
 * Moves bytes out of or into a pipe inside the kernel (splice(2)); into a file that is appended to, which that does not
 * do, by way of a buffer. Descriptors other than of files must be non-blocking.
 */
public final class Splice {
  private static final int MOVE_NONBLOCK = 1 | 2;

  /** At most this many bytes a call: what a pipe holds by default. */
  private static final int BYTES_MAX = 64 * 1024;

  /** What a process without a terminal usually writes at once. */
  private static final int BUFFER_BYTES = 4096;

  private static final long SPLICE = Native.function("splice");

  private Splice() {}

  /**
   * Moves everything from {@code from} to {@code to} until its end; waits in the poller for either.
   *
   * @throws ErrnoException EPIPE when nobody can read {@code to} any more, ENOSPC, EIO
   */
  public static void all(Fd from, Fd to) throws IOException, InterruptedException {
    while (true) {
      Poller.shared().awaitReadable(from);
      long moved = Native.callLong(SPLICE, from.number(), 0, to.number(), 0, BYTES_MAX, MOVE_NONBLOCK);
      if (moved == 0) {
        return;
      }
      if (moved == -Errno.EAGAIN) {
        Poller.shared().awaitWritable(to); // at once if it was the source that had nothing after all
      } else if (moved == -Errno.EINVAL) {
        copy(from, to);
        return;
      } else if (moved < 0 && moved != -Errno.EINTR) {
        throw new ErrnoException("splice", (int) -moved);
      }
    }
  }

  /** A file takes all or fails. */
  private static void copy(Fd from, Fd to) throws IOException, InterruptedException {
    byte[] buffer = new byte[BUFFER_BYTES];
    int count = from.read(buffer);
    while (count > 0) {
      int written = 0;
      while (written < count) {
        written += Math.max(0, to.tryWrite(buffer, written, count - written));
      }
      count = from.read(buffer);
    }
  }
}
