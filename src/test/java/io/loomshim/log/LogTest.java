package io.loomshim.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class LogTest {
  private static final String TIME = "time=\"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z\" ";

  private final List<String> ids = new ArrayList<>();
  private final List<String> lines = new ArrayList<>();

  @BeforeEach
  void collect() {
    Log.to((id, line) -> {
      ids.add(id);
      lines.add(new String(line, StandardCharsets.UTF_8));
    });
  }

  @AfterEach
  void restore() {
    Log.debug(false);
    Log.to((id, line) -> System.err.write(line, 0, line.length));
  }

  private String only() {
    assertEquals(1, lines.size());
    String line = lines.get(0);
    assertTrue(line.matches("(?s)" + TIME + ".*\n"), line);
    return line.replaceFirst(TIME, "").stripTrailing();
  }

  @Test
  void aLineNamesTheLevelTheMessageTheRuntimeAndTheFields() {
    Log.warn("no cgroup found", "id", "web-1", "pid", "7");
    assertEquals("level=warning msg=\"no cgroup found\" runtime=io.containerd.loom.v1 id=web-1 pid=7", only());
    assertEquals(List.of("web-1"), ids);
  }

  @Test
  void aPlainWordStandsBareAndAnythingElseInQuotes() {
    Log.info("started", "a", "x-1._/@^+Z", "b", "", "c", "a=b", "d", "é", "e", "a:b");
    assertEquals(
        "level=info msg=started runtime=io.containerd.loom.v1 a=x-1._/@^+Z b=\"\" c=\"a=b\" d=\"é\" e=\"a:b\"", only());
  }

  @Test
  void nothingInATextCanEndItsLineOrItsQuotes() {
    Log.error("a\nb", "error", "\"q\" \\ \t \r \u001b[31m \0");
    assertEquals(
        "level=error msg=\"a\\nb\" runtime=io.containerd.loom.v1 error=\"\\\"q\\\" \\\\ \\t \\r \\x1b[31m \\x00\"",
        only());
    assertEquals(1, lines.get(0).chars().filter(c -> c == '\n').count());
  }

  @Test
  void withoutAnIdALineBelongsToNoContainer() {
    Log.info("x", "path", "/id");
    assertEquals(List.of(""), ids);
  }

  @Test
  void debugLinesAppearOnlyWhenAskedFor() {
    Log.debug("quiet");
    assertEquals(List.of(), lines);
    Log.debug(true);
    Log.debug("loud");
    assertEquals("level=debug msg=loud runtime=io.containerd.loom.v1", only());
  }

  @Test
  void aNameWithoutAValueIsLeftOut() {
    Log.info("x", "a", "1", "b");
    assertEquals("level=info msg=x runtime=io.containerd.loom.v1 a=1", only());
  }

  @Test
  void whatALibraryLogsBecomesTheSameLines() {
    Logger logger = LoggerFactory.getLogger("org.example.Library");
    logger.debug("quiet");
    logger.trace("quiet");
    logger.warn("{} of {}", 1, 2);
    assertEquals("level=warning msg=\"1 of 2\" runtime=io.containerd.loom.v1", only());
    assertEquals(List.of(""), ids);
  }

  @Test
  void anExceptionStandsBehindTheMessageAndAnObjectInItsOwnWords() {
    LoggerFactory.getLogger("x").atError().setCause(new IllegalStateException("why")).addKeyValue("id", "web-1")
        .addKeyValue("pid", 7).log("a {}", "b");
    assertEquals("level=error msg=\"a b: java.lang.IllegalStateException: why\" runtime=io.containerd.loom.v1"
        + " id=web-1 pid=7", only());
    assertEquals(List.of("web-1"), ids);
  }
}
