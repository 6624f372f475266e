package io.loomshim.bench.rpc;

import java.io.IOException;

/** The connection is gone, so there is no answer. */
public final class ClosedException extends IOException {
  private static final long serialVersionUID = 1;

  ClosedException(Throwable cause) {
    super("the connection is closed", cause);
  }
}
