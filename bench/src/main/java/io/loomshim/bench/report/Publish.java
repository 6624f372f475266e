package io.loomshim.bench.report;

import io.loomshim.bench.figure.EnvFile;
import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Skipped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;

/**
 * Takes a run over into the documentation: raw data and plots go to docs/bench, the tables into docs/BENCHMARKS.md and
 * the picture into README.md, between their marks. Arguments: the directory of the run, and the repository.
 */
final class Publish {
  private static final String SCRIPT = "bench.sh";

  private Publish() {}

  public static void main(String[] args) throws Exception {
    Path run = Path.of(args[0]);
    Path docs = Path.of(args[1], "docs");
    Map<String, String> env = EnvFile.read(run.resolve("env.json"));
    String name = env.get("date") + "-" + env.get("size");
    Files.createDirectories(docs.resolve("bench"));
    copy(run.resolve("raw.csv"), docs.resolve("bench/" + name + ".csv"));
    copy(run.resolve("env.json"), docs.resolve("bench/" + name + "-env.json"));
    copy(run.resolve("skipped.csv"), docs.resolve("bench/" + name + "-skipped.csv"));
    Samples samples = Samples.read(run.resolve("raw.csv"));
    var tables = new Tables(samples, Skipped.read(run.resolve("skipped.csv")));
    var overview = new StringBuilder();
    var others = new StringBuilder();
    for (Plots.Plot plot : new Plots(samples).all()) {
      Files.writeString(docs.resolve("bench/" + plot.name() + ".svg"), plot.svg());
      boolean first = plot.name().equals("overview");
      overview.append(first ? "![" + plot.title() + "](docs/bench/" + plot.name() + ".svg)\n\n" : "");
      others.append(first ? "" : "![" + plot.title() + "](bench/" + plot.name() + ".svg)\n\n");
    }
    Marks.put(Path.of(args[1], "README.md"), SCRIPT, overview + "Measured on " + env.get("date") + ": "
        + Machine.text(env)
        + "\nAll figures, how they are measured, and the raw data: [docs/BENCHMARKS.md](docs/BENCHMARKS.md).\n");
    Marks.put(docs.resolve("BENCHMARKS.md"), SCRIPT, "## " + env.get("date") + ", " + env.get("size") + "\n\n"
        + Machine.text(env)
        + "\nRaw data: [" + name + ".csv](bench/" + name + ".csv), [" + name + "-env.json](bench/" + name
        + "-env.json).\n\n" + others + tables.all());
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
  }
}
