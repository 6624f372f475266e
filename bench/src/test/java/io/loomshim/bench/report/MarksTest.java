package io.loomshim.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MarksTest {
  private static final String BENCH = "<!-- measured: written by bench/bench.sh --publish -->";
  private static final String LOOM = "<!-- measured: written by bench/loom-bench.sh --publish -->";
  private static final String END = "<!-- measured: end -->";

  @TempDir Path directory;

  @Test
  void onlyWhatStandsBetweenTheMarksOfThatScriptIsReplaced() throws Exception {
    Path page = directory.resolve("page.md");
    Files.writeString(page, "a\n" + LOOM + "\nold\n" + END + "\nb\n" + BENCH + "\nold\nolder\n" + END + "\nc\n");
    Marks.put(page, "bench.sh", "new\n\n");
    assertEquals("a\n" + LOOM + "\nold\n" + END + "\nb\n" + BENCH + "\nnew\n" + END + "\nc\n", Files.readString(page));
    Marks.put(page, "bench.sh", "newer");
    assertTrue(Files.readString(page).contains(BENCH + "\nnewer\n" + END + "\nc\n"));
  }

  @Test
  void aPageWithoutThemIsRefused() throws Exception {
    Path page = directory.resolve("page.md");
    Files.writeString(page, "a\n" + LOOM + "\nold\n" + END + "\n");
    assertThrows(IOException.class, () -> Marks.put(page, "bench.sh", "new"));
    Files.writeString(page, END + "\n" + BENCH + "\n");
    assertThrows(IOException.class, () -> Marks.put(page, "bench.sh", "new"));
  }

  @Test
  void thePagesOfThisRepositoryHaveThem() throws Exception {
    for (String page : new String[] {"README.md", "docs/BENCHMARKS.md"}) {
      assertTrue(Files.readString(Path.of(page)).contains(BENCH), page);
    }
    assertTrue(Files.readString(Path.of("docs/LOOM.md")).contains(LOOM));
  }
}
