package io.loomshim.record;

import java.io.IOException;

/** A record that this build cannot use; the message is a sentence that names the file and the reason. */
public final class UnreadableException extends IOException {
  private static final long serialVersionUID = 1;

  UnreadableException(String message) {
    super(message);
  }
}
