package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Side;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;

/** Something that a side could not do, which is a result of its own: a line of {@code failures.csv}. */
record Failure(Axis axis, int n, Side side, String what, String text) {
  static PrintWriter file(Path csv) throws IOException {
    var file = new PrintWriter(Files.newBufferedWriter(csv), true);
    file.println("axis,n,side,what,text");
    return file;
  }

  static List<Failure> read(Path csv) throws IOException {
    var failures = new ArrayList<Failure>();
    for (String line : Files.exists(csv) ? Files.readAllLines(csv).stream().skip(1).toList() : List.<String>of()) {
      String[] cells = line.split(",", 5);
      failures.add(new Failure(Axis.of(cells[0]), Integer.parseInt(cells[1]), Side.of(cells[2], Variants.ALL), cells[3],
          cells[4]));
    }
    return failures;
  }

  String line() {
    return axis.key() + "," + n + "," + side.name() + "," + what.replace(',', ';') + "," + text.replaceAll("\\s+", " ");
  }

  /** What the user of a client would read. */
  static String text(Throwable error) {
    Throwable cause = error;
    while (cause.getCause() != null
        && (cause instanceof ExecutionException || cause.getClass() == IOException.class)) {
      cause = cause.getCause();
    }
    return cause.getMessage() == null ? cause.toString() : cause.getMessage();
  }
}
