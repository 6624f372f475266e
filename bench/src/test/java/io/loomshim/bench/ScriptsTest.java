package io.loomshim.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.loom.LoomBench;
import io.loomshim.bench.scenario.Bench;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The names that the scripts take are those that the programs know. */
class ScriptsTest {
  private static Set<String> names(String script, String variable) throws Exception {
    String begin = "readonly " + variable + "=";
    String line = Files.readAllLines(Path.of("bench", script)).stream().filter(each -> each.startsWith(begin))
        .findFirst().orElseThrow();
    return new TreeSet<>(Set.of(line.substring(begin.length()).split(",")));
  }

  @Test
  void benchKnowsItsScenariosAndSides() throws Exception {
    assertEquals(new TreeSet<>(Bench.scenarios()), names("bench.sh", "SCENARIOS"));
    Set<String> sides = Side.SHIMS.stream().map(Side::name).collect(Collectors.toCollection(TreeSet::new));
    sides.add(Side.FLOOR.name());
    // --before adds it
    sides.remove(Side.BEFORE.name());
    assertEquals(sides, names("bench.sh", "SIDES"));
  }

  @Test
  void loomBenchKnowsItsAxesAndSides() throws Exception {
    assertEquals(new TreeSet<>(LoomBench.axes()), names("loom-bench.sh", "AXES"));
    assertEquals(new TreeSet<>(LoomBench.sides()), names("loom-bench.sh", "SIDES"));
  }

  /** The status of a program, a blank and all that it wrote. */
  private static String run(Map<String, String> environment, String... words) throws Exception {
    var builder = new ProcessBuilder(words).redirectErrorStream(true).redirectInput(Path.of("/dev/null").toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return process.waitFor() + " " + out;
  }

  /** Every script that people run; the one of the DaemonSet has its settings in the environment. */
  private static List<Path> scripts() throws Exception {
    var scripts = new ArrayList<Path>(List.of(Path.of(".ci/run")));
    for (String directory : List.of("bench", "integration", "packaging", "findings")) {
      try (Stream<Path> files = Files.walk(Path.of(directory))) {
        files.filter(file -> file.toString().endsWith(".sh") && Files.isExecutable(file)
            && !file.endsWith("node.sh")).forEach(scripts::add);
      }
    }
    assertTrue(scripts.size() > 40 && scripts.contains(Path.of("integration/demo.sh")), scripts::toString);
    return scripts;
  }

  @Test
  void helpIsWhatItSaysAndNothingIsRun() throws Exception {
    for (Path script : scripts()) {
      for (String word : List.of("--help", "-h")) {
        String said = run(Map.of(), script.toString(), word);
        assertTrue(said.startsWith("0 ") && said.length() > 100, script + ": " + said);
        assertTrue(said.contains(script.getFileName().toString()) || script.startsWith("findings"), said);
      }
    }
  }

  @Test
  void anArgumentThatIsNoneIsRefusedAndNothingIsRun() throws Exception {
    for (Path script : scripts()) {
      String said = run(Map.of(), script.toString(), "--nonsense");
      assertTrue(said.startsWith("2 "), script + ": " + said);
    }
    for (String script : List.of("bench/bench.sh", "bench/loom-bench.sh", "integration/demo.sh")) {
      assertEquals("2 error: unknown argument --nonsense; see --help\n", run(Map.of(), script, "--nonsense"));
    }
  }

  @Test
  void aNameThatIsNoneIsToldWithThoseThatThereAre() throws Exception {
    for (String script : List.of("bench/bench.sh", "bench/loom-bench.sh")) {
      for (String option : List.of("--sides", "--only")) {
        String said = run(Map.of(), script, option, "nonsense");
        assertTrue(said.startsWith("2 error: " + option + " 'nonsense': nonsense is not one of "), said);
        assertEquals("2 error: " + option + " needs a value; see --help\n", run(Map.of(), script, option));
      }
    }
  }

  @Test
  void withoutGitTheBuildHasTheNameThatItWasGiven(@TempDir Path directory) throws Exception {
    Path lib = Files.createDirectories(directory.resolve("target/loomshim/lib"));
    Files.writeString(lib.resolve("version"), "version=1\nrevision=0123456789ab\n");
    Path bin = Files.createDirectory(directory.resolve("bin"));
    for (String tool : List.of("sed", "dirname", "realpath", "bash")) {
      Files.createSymbolicLink(bin.resolve(tool), Path.of("/usr/bin", tool));
    }
    assertEquals("0 0123456789ab\n", run(Map.of("PATH", bin.toString()), "/usr/bin/bash", "-c",
        "set -euo pipefail; . integration/lib.sh; . bench/measure.sh; build_of \"$1\"", "bash", directory.toString()));
  }
}
