package io.loomshim.bench.loom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Size;
import io.loomshim.bench.scenario.Plan;
import io.loomshim.bench.site.Site;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sides whose containers cannot be started: there is no bundle to make them of. */
class TurnsTest {
  @TempDir Path directory;
  private Plan plan;

  @BeforeEach
  void create() throws Exception {
    plan = new Plan(new Site(directory, "none"), Samples.create(directory.resolve("raw.csv")), Size.SMOKE,
        List.of(Variants.of("virtual", 25), Side.GROUP), Plan.skippedFile(directory.resolve("skipped.csv")));
  }

  private Comparison comparison(String cells) throws Exception {
    return new Comparison(plan, Cells.of(Size.SMOKE, "execs", cells), Failure.file(directory.resolve("failures.csv")),
        new Neighbours(), System.nanoTime() + TimeUnit.MINUTES.toNanos(1));
  }

  @Test
  void aSideThatDoesNotStartHasNoTurnAndItsFailureIsNoted() throws Exception {
    Comparison comparison = comparison("");
    try (Turns turns = Turns.of(comparison, Axis.EXECS)) {
      assertEquals(List.of(1, 4), new ArrayList<>(turns.counts()));
      assertEquals(Map.of(), turns.of(1));
    }
    List<Failure> failures = Failure.read(directory.resolve("failures.csv"));
    assertEquals(List.of("virtual-25", "runc.v2-group"), failures.stream().map(each -> each.side().name()).toList());
    assertEquals("start of a container", failures.getFirst().what());
    assertTrue(failures.getFirst().text().contains("config.json"), failures.toString());
  }

  @Test
  void onlySidesWithACellTakePart() throws Exception {
    Comparison comparison = comparison("runc.v2-group:execs:9");
    try (Turns turns = Turns.of(comparison, Axis.EXECS)) {
      assertEquals(List.of(9), new ArrayList<>(turns.counts()));
    }
    assertEquals(1, Files.readAllLines(directory.resolve("failures.csv")).size() - 1);
  }
}
