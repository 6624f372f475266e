package io.loomshim.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.loom.LoomBench;
import io.loomshim.bench.scenario.Bench;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

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
}
