package io.loomshim.bench.rpc;

import java.io.IOException;

/** The status other than OK that a shim has answered with, or that the client gives a call which took too long. */
public final class CallException extends IOException {
  private static final long serialVersionUID = 1;

  static final int DEADLINE_EXCEEDED = 4;

  /** Names of the codes by number, as in gRPC. */
  private static final String[] NAMES = {"OK", "CANCELED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
      "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE"};

  public CallException(int code, String message) {
    super((code >= 0 && code < NAMES.length ? NAMES[code] : "UNKNOWN") + ": " + message);
  }
}
