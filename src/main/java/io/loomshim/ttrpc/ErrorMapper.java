package io.loomshim.ttrpc;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;

/**
 * Maps the exceptions of a service to a status. It is not asked about a {@link StatusException}, an {@link Error}, or
 * an interrupt that the server sent.
 */
@FunctionalInterface
public interface ErrorMapper {
  /** Maps every exception to UNKNOWN. */
  ErrorMapper NONE = ErrorMapper::unknown;

  /** Returns the status for {@code error}. Called on the thread of the call. */
  StatusException map(Throwable error);

  /** UNKNOWN with the text of the error, or its class when it has no text. */
  static StatusException unknown(Throwable error) {
    String message = error.getMessage();
    String text = message == null || message.isEmpty() ? error.getClass().getName() : message;
    return new StatusException(Code.UNKNOWN, text, error);
  }
}
