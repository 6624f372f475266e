package io.loomshim.bench.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The places in the documentation that a script fills with figures. */
public final class Marks {
  private static final String END = "<!-- measured: end -->";

  private Marks() {}

  /** Replaces what stands between the marks of {@code script} in a file. */
  public static void put(Path file, String script, String text) throws IOException {
    String mark = "<!-- measured: written by bench/" + script + " --publish -->";
    String old = Files.readString(file);
    int begin = old.indexOf(mark);
    int end = old.indexOf(END, Math.max(0, begin));
    if (begin < 0 || end < begin) {
      throw new IOException(file + " has no place for figures: " + mark + " … " + END);
    }
    Files.writeString(file, old.substring(0, begin) + mark + "\n" + text.stripTrailing() + "\n" + old.substring(end));
  }
}
