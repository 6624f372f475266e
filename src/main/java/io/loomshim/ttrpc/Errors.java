package io.loomshim.ttrpc;

import io.loomshim.log.Log;
import java.io.EOFException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;

/** The one place where the exception of a handler becomes a status. Immutable; runs on the thread of the call. */
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
      return mapper.map(error).orElseGet(() -> builtIn(error));
    } catch (RuntimeException | Error e) {
      e.addSuppressed(error);
      return internal(e);
    }
  }

  /** Logs an error that only a defect of this program explains. */
  void logDefect(Call call, Throwable error) {
    boolean expected = error instanceof StatusException || error instanceof InvalidPathException;
    if (expected || !(error instanceof RuntimeException || error instanceof Error)) {
      return;
    }
    Log.error("ttrpc: call failed", "call", call.toString(), "error", error.toString(), "trace", trace(error));
  }

  private static StatusException builtIn(Throwable error) {
    return switch (error) {
      case InvalidPathException e ->
          new StatusException(Code.INVALID_ARGUMENT, text(e, "path") + ": invalid argument", e);
      case EOFException e -> new StatusException(Code.OUT_OF_RANGE, text(e, "EOF"), e);
      case NoSuchFileException e -> file(Code.NOT_FOUND, e, "no such file or directory");
      case AccessDeniedException e -> file(Code.PERMISSION_DENIED, e, "permission denied");
      case FileAlreadyExistsException e -> file(Code.ALREADY_EXISTS, e, "file exists");
      case DirectoryNotEmptyException e -> file(Code.ALREADY_EXISTS, e, "directory not empty");
      default -> new StatusException(Code.UNKNOWN, text(error, error.getClass().getName()), error);
    };
  }

  private static StatusException internal(Throwable error) {
    return new StatusException(Code.INTERNAL, "internal error: " + error, error);
  }

  /** The JDK's message for these is the bare path. */
  private static StatusException file(Code code, Throwable error, String what) {
    return new StatusException(code, text(error, "file") + ": " + what, error);
  }

  private static boolean isInterrupt(Throwable error) {
    return error instanceof InterruptedException || error instanceof ClosedByInterruptException
        || error instanceof InterruptedIOException;
  }

  private static String text(Throwable error, String otherwise) {
    String message = error.getMessage();
    return message == null || message.isEmpty() ? otherwise : message;
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
