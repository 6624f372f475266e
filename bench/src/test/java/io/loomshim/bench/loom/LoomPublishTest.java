package io.loomshim.bench.loom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.bench.figure.EnvFile;
import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Side;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoomPublishTest {
  @TempDir Path directory;

  @Test
  void aRunGoesIntoTheDocumentation() throws Exception {
    Path run = Files.createDirectories(directory.resolve("run"));
    Samples samples = Samples.create(run.resolve("raw.csv"));
    for (int n : new int[] {1, 50}) {
      samples.add(LoomFigures.EXECS, n, Variants.of("virtual", 25), 12);
      samples.add(LoomFigures.EXECS, n, Variants.of("platform", 25), 10);
      samples.add(LoomFigures.EXECS, n, Side.GROUP, 30);
    }
    EnvFile.write(run.resolve("env.json"), Map.of("date", "2026-01-02", "size", "full", "cores", "2", "cpu", "x",
        "memory", "8 GB", "kernel", "6.1.0", "cgroup", "1", "containerd", "1.6", "runc", "1.1",
        "jdk of virtual-25", "25"));
    Files.writeString(run.resolve("skipped.csv"), "figure,n,side,reason\nexecs,100,runc.v1,no time was left\n");
    Files.writeString(run.resolve("failures.csv"),
        "axis,n,side,what,text\nwaits,500,fixed64-25,436 of 500 Waits,full\n");
    Path docs = Files.createDirectories(directory.resolve("repository/docs"));
    Files.writeString(docs.resolve("LOOM.md"),
        "above\n<!-- measured: written by bench/loom-bench.sh --publish -->\nold\n<!-- measured: end -->\nbelow\n");

    LoomPublish.main(new String[] {run.toString(), docs.getParent().toString()});

    String page = Files.readString(docs.resolve("LOOM.md"));
    assertTrue(page.startsWith("above\n") && page.endsWith("\nbelow\n") && !page.contains("\nold\n"), page);
    assertTrue(page.contains("| one exec, median | 50 execs at once |"), page);
    assertTrue(page.contains("1.20\u00a0×\u00a0at\u00a01, 1.20\u00a0×\u00a0at\u00a050"), page);
    assertTrue(page.contains("| fixed:64, JDK 25 | 500 containers | 436 of 500 Waits | full |"), page);
    for (String file : LoomPublish.FILES) {
      assertEquals(Files.readString(run.resolve(file)), Files.readString(docs.resolve("loom/2026-01-02-full-" + file)));
    }
    String report = Files.readString(docs.resolve("loom/report.html"));
    assertTrue(report.contains("2026-01-02-full-raw.csv") && report.contains("no time was left"), "its parts");
  }
}
