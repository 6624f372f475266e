package io.loomshim.threads;

import io.loomshim.errors.Scarce;
import java.io.IOException;

/** A step was not done because file systems do not answer; the message names what was to be done. */
public final class AsideException extends IOException implements Scarce {
  private static final long serialVersionUID = 1;

  private final boolean crowded;

  private AsideException(String message, boolean crowded) {
    super(message);
    this.crowded = crowded;
  }

  /** So many steps wait that no more may. */
  static AsideException crowded(String what, int count, String oldest) {
    String text = what + ": " + count + " steps already wait for file systems, the first of them: " + oldest;
    return new AsideException(text, true);
  }

  /** The file system has not answered in time. */
  static AsideException late(String what) {
    return new AsideException(what + ": the file system did not answer in time", false);
  }

  /** Whether there were no threads left for it; else there was no answer. */
  @Override
  public boolean scarce() {
    return crowded;
  }
}
