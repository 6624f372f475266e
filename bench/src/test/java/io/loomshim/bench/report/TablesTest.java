package io.loomshim.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Skipped;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TablesTest {
  @TempDir Path directory;
  private Samples samples;

  @BeforeEach
  void create() throws IOException {
    samples = Samples.create(directory.resolve("raw.csv"));
  }

  private String all() {
    return new Tables(samples, List.of()).all();
  }

  /** The cells of the row that begins with {@code title}, without the title; empty ones are kept. */
  private static List<String> row(String table, String title) {
    String line = table.lines().filter(each -> each.startsWith("| " + title + " |")).findFirst().orElseThrow();
    String[] cells = line.substring(1).split("\\|", -1);
    return List.of(cells).subList(1, cells.length - 1).stream().map(String::strip).toList();
  }

  @Test
  void aCellIsTheMedianWithItsSpread() {
    for (double value : new double[] {1, 2, 3}) {
      samples.add(Figure.START, Side.LOOM, value);
    }
    samples.add(Figure.START, Side.RUNC_V1, 8);
    assertEquals(List.of("2.00 ms (1.20–2.80)", "8.00 ms", "", "", "", "", "0.25 ×", "", "", "≤ 0.40 ×: reached"),
        row(all(), "`start` alone, warm"));
  }

  @Test
  void fiveInAHundredMoreIsLost() {
    samples.add(Figure.STATS, Side.LOOM, 104);
    samples.add(Figure.STATS, Side.RUNC_V1, 100);
    samples.add(Figure.PIDS, Side.LOOM, 106);
    samples.add(Figure.PIDS, Side.RUNC_V1, 100);
    assertEquals("1.04 ×", row(all(), "Stats, p50").get(6));
    assertEquals("**lost**, 1.06 ×", row(all(), "Pids, p50").get(6));
  }

  @Test
  void aRateIsLostWhenItIsLess() {
    samples.add(Figure.CONN_RATE, 50, Side.LOOM, 90);
    samples.add(Figure.CONN_RATE, 50, Side.RUNC_V1, 100);
    samples.add(Figure.CONN_RATE, 500, Side.LOOM, 110);
    samples.add(Figure.CONN_RATE, 500, Side.RUNC_V1, 100);
    assertEquals("**lost**, 0.90 ×", row(all(), "State, 50 connections").get(6));
    assertEquals("1.10 ×", row(all(), "State, 500 connections").get(6));
  }

  @Test
  void goalsAreReachedOrMissedInTheirOwnDirection() {
    samples.add(Figure.CONN_RATE, 50, Side.LOOM, 90);
    samples.add(Figure.CONN_RATE, 50, Side.RUNC_V1, 100);
    samples.add(Figure.THREADS, 1000, Side.LOOM, 33);
    samples.add(Figure.PSS, 1000, Side.LOOM, 60);
    samples.add(Figure.PSS, 1000, Side.GROUP, 50);
    samples.add(Figure.PSS, 1000, Side.RUNC_V1, 1000);
    String table = all();
    assertEquals("≥ 1.00 ×: **missed**", row(table, "State, 50 connections").getLast());
    assertEquals("≤ 32: **missed**", row(table, "OS threads, 1000 containers").getLast());
    assertEquals("≤ 1.00 × one group: **missed**; ≤ 0.07 ×: reached",
        row(table, "memory (PSS), 1000 containers").getLast());
  }

  @Test
  void aGoalWithoutItsPeerIsOnlySaid() {
    samples.add(Figure.START, Side.LOOM, 1);
    assertEquals("≤ 0.40 ×", row(all(), "`start` alone, warm").getLast());
  }

  @Test
  void anEarlierBuildHasAColumnAndARatio() {
    samples.add(Figure.STATS, Side.LOOM, 110);
    assertFalse(all().contains("before"));
    samples.add(Figure.STATS, Side.BEFORE, 100);
    String head = all().lines().findFirst().orElseThrow();
    assertTrue(head.startsWith("| median (10th–90th percentile) | loom | loom before | runc.v1 |"), head);
    assertTrue(head.contains("| loom / before | loom / runc.v1 | loom / runc.v2 | loom / one group | goal |"), head);
    assertEquals(List.of("110 µs", "100 µs", "", "", "", "", "", "**lost**, 1.10 ×", "", "", "", ""),
        row(all(), "Stats, p50"));
  }

  @Test
  void everyRowHasAsManyCellsAsTheHead() {
    samples.add(Figure.STATS, Side.LOOM, 110);
    samples.add(Figure.STATS, Side.BEFORE, 100);
    samples.add(Figure.RUN_COLD, Side.LOOM_EACH, 1);
    var columns = all().lines().map(line -> line.chars().filter(c -> c == '|').count()).distinct().toList();
    assertEquals(1, columns.size(), columns.toString());
  }

  @Test
  void whatWasSkippedIsSaidWithItsReason() {
    var skipped = List.of(new Skipped("pss", 1000, "runc.v1", "needs 3.0 GB more of 2.0 GB"));
    String text = new Tables(samples, skipped).all();
    assertTrue(text.endsWith("\nNot measured:\n\n- 1000 containers and more, runc.v1: needs 3.0 GB more of 2.0 GB\n"),
        text);
  }
}
