package io.loomshim.runc;

/** Shortens foreign text for an error message. Stateless. */
final class Excerpt {
  /** Characters of a foreign text inside an error text: enough to recognise it, short enough for a log line. */
  static final int CHARS_MAX = 256;

  private Excerpt() {}

  /** The start of {@code text} without white space around it, an ellipsis where something was cut. */
  static String of(String text) {
    String stripped = text.strip();
    return stripped.length() <= CHARS_MAX ? stripped : stripped.substring(0, CHARS_MAX) + "…";
  }
}
