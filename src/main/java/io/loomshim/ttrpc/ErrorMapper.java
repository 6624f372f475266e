package io.loomshim.ttrpc;

import java.util.Optional;

/**
 * Gives a status to exceptions that this room does not know, such as errno exceptions. Asked before
 * the built-in table, but not for a {@link StatusException}, an {@link Error}, or an interrupt that
 * the server sent.
 */
@FunctionalInterface
public interface ErrorMapper {
  /** Knows nothing. */
  ErrorMapper NONE = error -> Optional.empty();

  /** Returns the status for {@code error}, or empty for the built-in table. Called on the thread of the call. */
  Optional<StatusException> map(Throwable error);
}
