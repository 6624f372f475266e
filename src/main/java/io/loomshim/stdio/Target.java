package io.loomshim.stdio;

import io.loomshim.ttrpc.Code;
import io.loomshim.ttrpc.StatusException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;

/** Where an output stream goes: the meaning of the text that the client gave for it. Pure. */
sealed interface Target {
  /** Nowhere: the client gave an empty text. */
  record None() implements Target {}

  /** A path that exists: a fifo with a reader to wait for, or a file to append to. */
  record Path(String path) implements Target {}

  /** A file to create, with its directories, and to append to. */
  record NewFile(String path) implements Target {}

  /** A program that takes the output of the process. */
  record Logger(URI uri) implements Target {}

  /**
   * Reads a stdio text: a path, or a URI of scheme fifo, file or binary.
   *
   * @throws StatusException INVALID_ARGUMENT {@code unknown STDIO scheme X} or {@code unable to parse …}
   */
  static Target parse(String text) {
    if (text.isEmpty()) {
      return new None();
    }
    int colon = text.indexOf("://");
    if (colon < 0) {
      return new Path(text);
    }
    URI uri;
    try {
      uri = new URI(text);
    } catch (URISyntaxException e) {
      throw new StatusException(Code.INVALID_ARGUMENT, "unable to parse stdout uri: " + e.getMessage(), e);
    }
    String path = uri.getPath() == null ? "" : uri.getPath();
    return switch (text.substring(0, colon).toLowerCase(Locale.ROOT)) {
      case "fifo" -> new Path(path);
      case "file" -> new NewFile(path);
      case "binary" -> new Logger(uri);
      default ->
          throw new StatusException(Code.INVALID_ARGUMENT, "unknown STDIO scheme " + text.substring(0, colon));
    };
  }
}
