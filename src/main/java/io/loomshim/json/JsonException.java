package io.loomshim.json;

import java.io.IOException;

/** Says what is wrong with a JSON text and where: {@code invalid JSON at offset 7: …}. */
public final class JsonException extends IOException {
  private static final long serialVersionUID = 1;
  private final int offset;

  JsonException(int offset, String problem) {
    super("invalid JSON at offset " + offset + ": " + problem);
    this.offset = offset;
  }

  /** Where reading stopped, in UTF-16 units from the start of the text. */
  public int offset() {
    return offset;
  }
}
