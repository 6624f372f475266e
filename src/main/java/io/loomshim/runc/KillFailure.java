package io.loomshim.runc;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import java.io.IOException;
import java.util.Locale;

/**
 * What a kill that failed means to the client, for a runtime's text and for kill(2) alike: that a process or a
 * container is gone is NOT_FOUND, which clients expect and ignore. Stateless.
 */
public final class KillFailure {
  private KillFailure() {}

  /** Translates a {@link RuncException} or an {@link ErrnoException}; the result has it as its cause. */
  public static StatusException of(IOException failure) {
    return of("", failure, text(failure), errno(failure));
  }

  /** The same for a signal sent to an exec's process directly, without the runtime. */
  public static StatusException ofExec(IOException failure) {
    return of("exec kill error: ", failure, text(failure), errno(failure));
  }

  private static int errno(IOException failure) {
    return failure instanceof ErrnoException e ? e.errno() : 0;
  }

  private static String text(IOException failure) {
    return failure instanceof ErrnoException e ? Errno.text(e.errno()) : String.valueOf(failure.getMessage());
  }

  /** The rules, first match counts; {@code errno} is 0 for a failure that has none. */
  static StatusException of(String prefix, Throwable cause, String text, int errno) {
    boolean finished = text.contains("os: process already finished") || text.contains("container not running")
        || text.toLowerCase(Locale.ROOT).contains("no such process") || errno == Errno.ESRCH;
    if (finished) {
      return new StatusException(Code.NOT_FOUND, prefix + "process already finished: not found", cause);
    }
    if (text.contains("does not exist")) {
      return new StatusException(Code.NOT_FOUND, prefix + "no such container: not found", cause);
    }
    Code code = cause instanceof RuncException e ? e.code() : Code.UNKNOWN;
    return new StatusException(code, prefix + "unknown error after kill: " + text, cause);
  }
}
