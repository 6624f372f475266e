package io.loomshim.ttrpc;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;

/**
 * Gives a status to the exceptions of a service. Not asked for a {@link StatusException}, an {@link Error}, or an
 * interrupt that the server sent.
 */
@FunctionalInterface
public interface ErrorMapper {
  /** Knows none of them. */
  ErrorMapper NONE = ErrorMapper::unknown;

  /** Returns the status for {@code error}. Called on the thread of the call. */
  StatusException map(Throwable error);

  /** UNKNOWN with the text of an error that nothing is known of, or its class where it has none. */
  static StatusException unknown(Throwable error) {
    String message = error.getMessage();
    String text = message == null || message.isEmpty() ? error.getClass().getName() : message;
    return new StatusException(Code.UNKNOWN, text, error);
  }
}
