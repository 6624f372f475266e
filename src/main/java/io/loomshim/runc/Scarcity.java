package io.loomshim.runc;

import io.loomshim.ttrpc.Code;

/** The code of errors that say that something has run out. Stateless. */
public final class Scarcity {
  private Scarcity() {}

  /** RESOURCE_EXHAUSTED for such an error, UNKNOWN for any other. */
  public static Code code(Throwable error) {
    return of(error) ? Code.RESOURCE_EXHAUSTED : Code.UNKNOWN;
  }

  /** Whether {@code error} is one of them. */
  public static boolean of(Throwable error) {
    return io.loomshim.errors.Scarcity.of(error);
  }
}
