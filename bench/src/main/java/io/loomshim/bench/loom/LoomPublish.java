package io.loomshim.bench.loom;

import io.loomshim.bench.figure.EnvFile;
import io.loomshim.bench.report.Machine;
import io.loomshim.bench.report.Marks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;

/**
 * Takes a run over into the documentation: page and data go to docs/loom, the short tables into docs/LOOM.md between
 * its marks. Arguments: the directory of the run, and the repository.
 */
final class LoomPublish {
  /** What a run has written, apart from the page. */
  static final List<String> FILES = List.of("raw.csv", "failures.csv", "skipped.csv", "env.json");

  private LoomPublish() {}

  static String name(Map<String, String> env) {
    return env.get("date") + "-" + env.get("size");
  }

  public static void main(String[] args) throws Exception {
    Path run = Path.of(args[0]);
    Path docs = Path.of(args[1], "docs");
    Map<String, String> env = EnvFile.read(run.resolve("env.json"));
    Path loom = Files.createDirectories(docs.resolve("loom"));
    for (String file : FILES) {
      Files.copy(run.resolve(file), loom.resolve(name(env) + "-" + file), StandardCopyOption.REPLACE_EXISTING);
    }
    Files.writeString(loom.resolve("report.html"), LoomReport.page(run));
    Marks.put(docs.resolve("LOOM.md"), "loom-bench.sh", env.get("date") + ", " + env.get("size") + ": "
        + Machine.text(env) + "\nAll figures as lines and tables, and how they were measured:"
        + " [report.html](loom/report.html). Raw data: [" + name(env) + "-raw.csv](loom/" + name(env)
        + "-raw.csv).\n\n" + LoomReport.summary(run));
  }
}
