package io.loomshim.ttrpc;

import java.io.IOException;

/** The connection is closed: end of stream, broken pipe, reset, or closed on this side. */
public final class ClosedException extends IOException {
  private static final long serialVersionUID = 1;

  ClosedException() {
    super("ttrpc: closed");
  }

  ClosedException(Throwable cause) {
    super("ttrpc: closed", cause);
  }
}
