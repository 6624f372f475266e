package io.loomshim.bench.figure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Something that was not measured, and why: a line of {@code skipped.csv}. */
public record Skipped(String figure, int n, String side, String reason) {
  public static List<Skipped> read(Path csv) throws IOException {
    var skipped = new ArrayList<Skipped>();
    if (Files.exists(csv)) {
      for (String line : Files.readAllLines(csv).stream().skip(1).toList()) {
        String[] cells = line.split(",", 4);
        skipped.add(new Skipped(cells[0], Integer.parseInt(cells[1]), cells[2], cells[3]));
      }
    }
    return skipped;
  }
}
