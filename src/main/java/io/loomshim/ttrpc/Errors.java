package io.loomshim.ttrpc;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.log.Log;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;

/**
 * Turns what a handler threw into a status. The server maps errors and interrupts itself, and the service maps the
 * rest. Immutable; runs on the thread of the call.
 */
final class Errors {
  /** Frames of a stack trace in a log line. */
  private static final int TRACE_FRAMES_MAX = 12;

  private final ErrorMapper mapper;

  Errors(ErrorMapper mapper) {
    this.mapper = mapper;
  }

  /**
   * Returns the status for what a handler threw.
   *
   * @param late whether the server interrupted the call at its deadline
   */
  StatusException status(Throwable error, boolean late) {
    if (error instanceof StatusException status) {
      return status;
    }
    if (error instanceof OutOfMemoryError) {
      return new StatusException(Code.RESOURCE_EXHAUSTED, "out of memory: " + error.getMessage(), error);
    }
    if (error instanceof Error) {
      return internal(error);
    }
    if (isInterrupt(error)) {
      return late
          ? new StatusException(Code.DEADLINE_EXCEEDED, "context deadline exceeded", error)
          : new StatusException(Code.CANCELED, "context canceled", error);
    }
    try {
      return mapper.map(error);
    } catch (RuntimeException | Error e) {
      e.addSuppressed(error);
      return internal(e);
    }
  }

  /** Logs an error that only a defect of this program or a lack of memory can explain. */
  void logDefect(Call call, Throwable error, StatusException status) {
    boolean expected = error == status || status.code() == Code.INVALID_ARGUMENT;
    if (expected || !(error instanceof RuntimeException || error instanceof Error)) {
      return;
    }
    Log.error("ttrpc: call failed", "call", call.toString(), "error", error.toString(), "trace", trace(error));
  }

  private static StatusException internal(Throwable error) {
    return new StatusException(Code.INTERNAL, "internal error: " + error, error);
  }

  private static boolean isInterrupt(Throwable error) {
    return error instanceof InterruptedException || error instanceof ClosedByInterruptException
        || error instanceof InterruptedIOException;
  }

  private static String trace(Throwable error) {
    var text = new StringBuilder();
    StackTraceElement[] frames = error.getStackTrace();
    for (int i = 0; i < Math.min(frames.length, TRACE_FRAMES_MAX); i++) {
      text.append(i == 0 ? "" : " < ").append(frames[i]);
    }
    return text.toString();
  }
}
