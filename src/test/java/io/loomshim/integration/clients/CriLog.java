package io.loomshim.integration.clients;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;

/** A log of a container as CRI has them on disk: {@code TIME STREAM F|P TEXT}. */
final class CriLog {
  /** One line; {@code partial} when the next one goes on with it. */
  record Line(Instant time, String stream, boolean partial, String text) {}

  private CriLog() {}

  /** The complete lines of the file; fails on one of another form. */
  static List<Line> read(Path file) {
    try {
      if (!Files.exists(file)) {
        return List.of();
      }
      String all = Files.readString(file);
      var lines = new ArrayList<Line>();
      for (String line : all.substring(0, all.lastIndexOf('\n') + 1).lines().toList()) {
        String[] words = line.split(" ", 4);
        if (words.length != 4 || !words[2].equals("F") && !words[2].equals("P")) {
          throw new AssertionError("no line of a CRI log: " + line);
        }
        lines.add(new Line(OffsetDateTime.parse(words[0]).toInstant(), words[1], words[2].equals("P"),
            words[3]));
      }
      return lines;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The text of one stream, put together again. */
  static String text(List<Line> lines, String stream) {
    var text = new StringBuilder();
    for (Line line : lines) {
      if (line.stream.equals(stream)) {
        text.append(line.text).append(line.partial ? "" : "\n");
      }
    }
    return text.toString();
  }
}
