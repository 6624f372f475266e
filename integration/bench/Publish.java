import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;

/**
 * Takes a run over into the documentation: raw data and plots go to docs/bench, the tables into README.md and
 * docs/BENCHMARKS.md between their marks. Arguments: the directory of the run, and the repository.
 */
final class Publish {
  private static final String BEGIN = "<!-- measured: written by integration/bench.sh --publish -->";
  private static final String END = "<!-- measured: end -->";

  private Publish() {}

  public static void main(String[] args) throws Exception {
    Path run = Path.of(args[0]);
    Path docs = Path.of(args[1], "docs");
    Map<String, String> env = Environment.read(run.resolve("env.json"));
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
      boolean first = plot.name().equals("overview") || plot.name().equals("density");
      overview.append(first ? "![" + plot.title() + "](docs/bench/" + plot.name() + ".svg)\n\n" : "");
      others.append(first ? "" : "![" + plot.title() + "](bench/" + plot.name() + ".svg)\n\n");
    }
    put(Path.of(args[1], "README.md"), "Measured side by side with `io.containerd.runc.v1` and with"
        + " `io.containerd.runc.v2` whose containers are\nall in one group, alternately; medians. " + machine(env)
        + "\nHow, all figures, and the raw data: [docs/BENCHMARKS.md](docs/BENCHMARKS.md).\n\n" + overview
        + tables.headlines());
    put(docs.resolve("BENCHMARKS.md"), "## " + env.get("date") + ", " + env.get("size") + "\n\n" + machine(env)
        + "\nRaw data: [" + name + ".csv](bench/" + name + ".csv), [" + name + "-env.json](bench/" + name
        + "-env.json).\n\n" + others + tables.all());
  }

  private static String machine(Map<String, String> env) {
    return env.get("cores") + " cores (" + env.get("cpu") + "), " + env.get("memory") + ", kernel "
        + env.get("kernel").replaceFirst("-.*", "") + ", cgroup v" + env.get("cgroup") + ",\ncontainerd "
        + env.get("containerd") + ", runc " + env.get("runc") + ", JDK " + env.get("jdk") + ".";
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Replaces what stands between the marks. */
  private static void put(Path file, String text) throws IOException {
    String old = Files.readString(file);
    int begin = old.indexOf(BEGIN);
    int end = old.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IOException(file + " has no place for figures: " + BEGIN + " … " + END);
    }
    Files.writeString(file, old.substring(0, begin) + BEGIN + "\n" + text.stripTrailing() + "\n" + old.substring(end));
  }
}
