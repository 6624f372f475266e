package io.loomshim.runc;

import io.loomshim.linux.AsideException;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.ttrpc.Code;
import java.io.IOException;
import java.util.List;

/** Which errors say that something has run out, so that the same may succeed later. Stateless. */
public final class Scarcity {
  /** What the JDK says instead of a number; the daemon's language is C. */
  private static final List<String> TEXTS =
      List.of("Too many open files", "No space left on device", "Disk quota exceeded", "Cannot allocate memory");

  private Scarcity() {}

  /** RESOURCE_EXHAUSTED for such an error, UNKNOWN for any other. */
  public static Code code(Throwable error) {
    return of(error) ? Code.RESOURCE_EXHAUSTED : Code.UNKNOWN;
  }

  /** Whether {@code error} is one of them. */
  public static boolean of(Throwable error) {
    if (error instanceof ErrnoException e) {
      return switch (e.errno()) {
        case Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM, Errno.ENOSPC, Errno.EDQUOT, Errno.EAGAIN -> true;
        default -> false;
      };
    }
    if (error instanceof AsideException e) {
      return e.crowded();
    }
    String message = error instanceof IOException ? String.valueOf(error.getMessage()) : "";
    for (String text : TEXTS) {
      if (message.endsWith(text)) {
        return true;
      }
    }
    return error instanceof OutOfMemoryError;
  }
}
