package io.loomshim.errors;

/**
 * An error that has a status code. Thrown by a handler it is answered with exactly this code and
 * text; thrown by {@link Client#call} it is the status that the server answered.
 */
public final class StatusException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final Code code;

  /** Makes an error whose {@code message} is the text on the wire. */
  public StatusException(Code code, String message) {
    super(message);
    this.code = code;
  }

  /** The same with what led to it; the cause does not go over the wire. */
  public StatusException(Code code, String message, Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  /** Returns the status code, never {@link Code#OK}. */
  public Code code() {
    return code;
  }
}
