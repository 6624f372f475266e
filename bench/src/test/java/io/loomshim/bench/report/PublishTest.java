package io.loomshim.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.bench.figure.EnvFile;
import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Side;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublishTest {
  private static final String PLACE =
      "above\n<!-- measured: written by bench/bench.sh --publish -->\nold\n<!-- measured: end -->\nbelow\n";

  private static final Pattern LINK = Pattern.compile("\\((?:docs/)?(bench/[^)]*)\\)");

  @TempDir Path directory;

  @Test
  void aRunGoesIntoTheDocumentation() throws Exception {
    Path run = Files.createDirectories(directory.resolve("run"));
    Samples samples = Samples.create(run.resolve("raw.csv"));
    for (int i = 0; i < 3; i++) {
      samples.add(Figure.START, Side.LOOM, 4 + i);
      samples.add(Figure.START, Side.RUNC_V1, 10 + i);
      samples.add(Figure.PSS, 10, Side.LOOM, 40);
      samples.add(Figure.PSS, 10, Side.RUNC_V2, 26);
    }
    EnvFile.write(run.resolve("env.json"), Map.of("date", "2026-01-02", "size", "full", "cores", "2", "cpu", "x",
        "memory", "8 GB", "kernel", "6.1.0-1-amd64", "cgroup", "1", "containerd", "1.6", "runc", "1.1", "jdk", "25"));
    Files.writeString(run.resolve("skipped.csv"), "figure,n,side,reason\npss,500,runc.v1,no room\n");
    Path docs = Files.createDirectories(directory.resolve("repository/docs"));
    Files.writeString(directory.resolve("repository/README.md"), PLACE);
    Files.writeString(docs.resolve("BENCHMARKS.md"), PLACE);

    Publish.main(new String[] {run.toString(), docs.getParent().toString()});

    String readme = Files.readString(docs.resolveSibling("README.md"));
    assertTrue(readme.startsWith("above\n") && readme.endsWith("\nbelow\n") && !readme.contains("\nold\n"), readme);
    String machine = "2 cores (x), 8 GB, kernel 6.1.0, cgroup v1,\ncontainerd 1.6, runc 1.1, JDK 25.";
    assertTrue(readme.contains(machine), readme);
    assertTrue(readme.contains("![loom beside runc.v2](docs/bench/overview.svg)"), readme);
    String overview = Files.readString(docs.resolve("bench/overview.svg"));
    assertTrue(overview.contains(">memory (PSS), 10 containers<"), overview);
    assertFalse(overview.contains(">start alone, warm<"), overview);
    String page = Files.readString(docs.resolve("BENCHMARKS.md"));
    assertTrue(page.contains("## 2026-01-02, full") && page.contains("(bench/commands.svg)")
        && page.contains("(bench/density.svg)"), page);
    assertTrue(page.contains("| `start` alone, warm | 5.00 ms (4.20–5.80) | 11.0 ms (10.2–11.8) |"), page);
    assertTrue(page.contains("- 500 containers and more, runc.v1: no room"), page);
    assertEquals(Files.readString(run.resolve("raw.csv")),
        Files.readString(docs.resolve("bench/2026-01-02-full.csv")));
    // every picture and file that a page names is there
    for (Matcher link = LINK.matcher(readme + page); link.find(); ) {
      assertTrue(Files.exists(docs.resolve(link.group(1))), link.group());
    }
  }
}
