package io.loomshim.bench.loom;

import io.loomshim.bench.figure.EnvFile;
import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Skipped;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes {@code report.html} and {@code summary.md} of a run out of its raw data. Argument: their directory. */
final class LoomReport {
  private LoomReport() {}

  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[0]);
    Files.writeString(directory.resolve("report.html"), page(directory));
    String summary = summary(directory);
    Files.writeString(directory.resolve("summary.md"), summary);
    System.out.print(summary);
  }

  static String page(Path directory) throws Exception {
    return new LoomPage(Samples.read(directory.resolve("raw.csv")), Skipped.read(directory.resolve("skipped.csv")),
        Failure.read(directory.resolve("failures.csv")), EnvFile.read(directory.resolve("env.json"))).html();
  }

  /** The figures that matter most, and what was lost or refused, in Markdown. */
  static String summary(Path directory) throws Exception {
    var tables = new LoomTables(Samples.read(directory.resolve("raw.csv")));
    var failures = Failure.read(directory.resolve("failures.csv"));
    return LoomTables.markdown(tables.headlines())
        + "\nWhere virtual threads lose, by 5 % or more, and how many times:\n\n" + LoomTables.markdown(tables.losses())
        + (failures.isEmpty() ? "" : "\nRefused or starved:\n\n" + LoomTables.markdown(LoomTables.failures(failures)));
  }
}
