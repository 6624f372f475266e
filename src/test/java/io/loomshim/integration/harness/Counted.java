package io.loomshim.integration.harness;

/** What a process has written that counts lines from 0 on. Stateless. */
public final class Counted {
  private Counted() {}

  /** How many lines there are, after a check that none is missing, doubled or out of order. */
  public static int lines(String text) {
    String[] lines = text.split("\n");
    for (int i = 0; i < lines.length; i++) {
      if (!lines[i].equals(Integer.toString(i))) {
        throw new AssertionError("line " + i + " is " + lines[i]);
      }
    }
    return lines.length;
  }
}
