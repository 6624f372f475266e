package io.loomshim.bench.report;

import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Skipped;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes {@code summary.md} and the plots of a run out of its raw data. Argument: the directory that has them. */
final class Report {
  private Report() {}

  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[0]);
    Samples samples = Samples.read(directory.resolve("raw.csv"));
    String table = new Tables(samples, Skipped.read(directory.resolve("skipped.csv"))).all();
    Files.writeString(directory.resolve("summary.md"), table);
    for (Plots.Plot plot : new Plots(samples).all()) {
      Files.writeString(directory.resolve(plot.name() + ".svg"), plot.svg());
    }
    System.out.print(table);
  }
}
