package io.loomshim.stdio;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.StagedBytes;
import io.loomshim.log.Log;
import java.util.Optional;

/**
 * Whether bytes that are on their way outlive the daemon (the setting {@code take_over}): then none is in its own
 * memory alone at any moment. A registry of the process, set before the first stream is opened.
 */
public final class Outliving {
  private static volatile boolean wanted;

  private Outliving() {}

  /** From now on bytes outlive the daemon. */
  public static void begin() {
    wanted = true;
  }

  static boolean wanted() {
    return wanted;
  }

  /** Where bytes on their way to a file are kept; nothing when they need not be, or cannot be. */
  static Optional<StagedBytes> stage() {
    if (!wanted) {
      return Optional.empty();
    }
    try {
      return Optional.of(StagedBytes.make());
    } catch (ErrnoException e) {
      Log.warn("bytes on their way to a file do not outlive the daemon", "error", String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }
}
