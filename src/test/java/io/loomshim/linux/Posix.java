package io.loomshim.linux;

import java.io.IOException;
import java.nio.file.Path;
import jnr.constants.platform.Errno;
import jnr.posix.POSIX;
import jnr.posix.POSIXFactory;

/** System calls of tests through jnr-posix, which shares no line with the daemon's own. */
public final class Posix {
  public static final POSIX CALLS = POSIXFactory.getNativePOSIX();

  private static final int OWNER_ONLY = 0600;

  private Posix() {}

  /** Makes a fifo. */
  public static String fifo(Path path) throws IOException {
    check("mkfifo " + path, CALLS.mkfifo(path.toString(), OWNER_ONLY));
    return path.toString();
  }

  /** Sets the position of an open file. */
  public static void seek(int fd, long position) throws IOException {
    check("lseek", (int) CALLS.lseekLong(fd, position, 0));
  }

  /** {@code result}, unless it is the -1 of a call that has failed; then errno tells why. */
  public static int check(String what, int result) throws IOException {
    if (result == -1) {
      throw new IOException(what + ": " + Errno.valueOf(CALLS.errno()));
    }
    return result;
  }
}
