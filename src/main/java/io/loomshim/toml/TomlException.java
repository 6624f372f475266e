package io.loomshim.toml;

import java.io.IOException;

/** A text is not the TOML that we read. The message names the line. */
public final class TomlException extends IOException {
  private static final long serialVersionUID = 1L;

  TomlException(int line, String what) {
    super("line " + line + ": " + what);
  }
}
