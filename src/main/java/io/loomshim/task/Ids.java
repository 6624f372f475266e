package io.loomshim.task;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;

/** Container and exec ids become file names and arguments of runc, so they must be what containerd allows. */
final class Ids {
  /** More than the 76 characters that containerd allows, less than a file name may have with a suffix. */
  static final int LENGTH_MAX = 200;

  private Ids() {}

  /** Whether {@link #check} takes it. */
  static boolean valid(String id) {
    boolean separator = true;
    for (int i = 0; i < id.length(); i++) {
      char c = id.charAt(i);
      boolean word = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
      if (!word && (separator || c != '.' && c != '_' && c != '-')) {
        return false;
      }
      separator = !word;
    }
    return !separator && id.length() <= LENGTH_MAX;
  }

  /**
   * Returns {@code id} if it consists of letters, digits and, between two of those, single {@code . _ -}.
   *
   * @throws StatusException INVALID_ARGUMENT otherwise
   */
  static String check(String id) {
    if (!valid(id)) {
      String shown = id.length() > LENGTH_MAX ? id.substring(0, LENGTH_MAX) + "…" : id;
      throw new StatusException(Code.INVALID_ARGUMENT, "id \"" + shown + "\" is not valid: invalid argument");
    }
    return id;
  }
}
