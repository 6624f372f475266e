package io.loomshim.stdio;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import java.util.List;
import java.util.Optional;

/** Where an output stream goes: the meaning of the text that the client gave for it. Pure. */
sealed interface Target {
  /** Nowhere: the client gave an empty text. */
  record None() implements Target {
    @Override
    public String text() {
      return "";
    }

    @Override
    public boolean same(Target other) {
      return other instanceof None;
    }
  }

  /** A path that exists: a fifo with a reader to wait for, or a file to append to. */
  record Path(String path) implements Target {
    @Override
    public String text() {
      return path;
    }

    @Override
    public boolean same(Target other) {
      return other instanceof Path another && path.equals(another.path);
    }
  }

  /** A file to create, with its directories, and to append to. */
  record NewFile(String path) implements Target {
    @Override
    public String text() {
      return path;
    }

    @Override
    public boolean same(Target other) {
      return other instanceof NewFile another && path.equals(another.path);
    }
  }

  /** A program, with its arguments, that takes the output of the process. */
  record Logger(String program, List<String> arguments) implements Target {
    @Override
    public String text() {
      return program;
    }

    public Logger {
      arguments = List.copyOf(arguments);
    }

    @Override
    public boolean same(Target other) {
      return other instanceof Logger another && program.equals(another.program) && arguments.equals(another.arguments);
    }
  }

  /**
   * Whether {@code other} is the same target. As {@code equals}, which the JVM makes for a record at its first use: in
   * 10 ms, and with 8 MB of memory for compilers.
   */
  boolean same(Target other);

  /** The path, or nothing. */
  String text();

  /**
   * Reads a stdio text: a path, or a URI of scheme fifo, file or binary. What has no scheme is a path, whatever is in
   * it; a path never begins with a word and a colon.
   *
   * @throws StatusException INVALID_ARGUMENT {@code unknown STDIO scheme X} or {@code unable to parse …}
   */
  static Target parse(String text) {
    if (text.isEmpty()) {
      return new None();
    }
    Optional<StdioUri> uri = StdioUri.parse(text);
    if (uri.isEmpty()) {
      return new Path(text);
    }
    String path = uri.get().path();
    return switch (uri.get().scheme()) {
      case "fifo" -> new Path(path);
      case "file" -> new NewFile(path);
      case "binary" -> new Logger(path, uri.get().arguments());
      default ->
          throw new StatusException(Code.INVALID_ARGUMENT, "unknown STDIO scheme " + uri.get().scheme());
    };
  }
}
