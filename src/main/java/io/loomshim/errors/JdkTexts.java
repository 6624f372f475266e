package io.loomshim.errors;

import java.io.IOException;
import java.util.List;

/**
 * What a failed system call of the JDK says instead of an error number: strerror(3) at the end of the text, in English
 * since the daemon's language is C. The one place where an exception is known by its text; whatever fails in a call of
 * our own has its number. Stateless.
 */
public final class JdkTexts {
  private static final List<String> RAN_OUT =
      List.of("Too many open files", "No space left on device", "Disk quota exceeded", "Cannot allocate memory");
  private static final List<String> GONE =
      List.of("No such device", "No such file or directory", "Operation not supported");

  private JdkTexts() {}

  /** EMFILE, ENFILE, ENOSPC, EDQUOT, ENOMEM. */
  public static boolean ranOut(Throwable error) {
    return ends(error, RAN_OUT);
  }

  /**
   * What a file of a cgroup answers that is gone or of no supported kind: ENODEV when it was open, ENOENT, EOPNOTSUPP.
   */
  public static boolean gone(IOException error) {
    return ends(error, GONE);
  }

  private static boolean ends(Throwable error, List<String> texts) {
    String message = error instanceof IOException ? String.valueOf(error.getMessage()) : "";
    for (String text : texts) {
      if (message.endsWith(text)) {
        return true;
      }
    }
    return false;
  }
}
