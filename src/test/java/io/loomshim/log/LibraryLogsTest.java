package io.loomshim.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LibraryLogsTest {
  /** What a library does, in a JVM with the launcher's option. */
  static final class Library {
    private Library() {}

    public static void main(String[] args) {
      var logger = Logger.getLogger("some.library");
      logger.info("nobody asked");
      logger.log(Level.WARNING, "it is late", new IOException("no more"));
      System.out.println(LogManager.getLogManager().getClass().getName() + " "
          + LogManager.getLogManager().getProperty("handlers") + " " + Logger.getGlobal().getName());
    }
  }

  @Test
  void warningsOfALibraryAreLinesOfTheLogAndNoConfigurationIsRead() throws Exception {
    var process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
        System.getProperty("java.class.path"), "-Djava.util.logging.manager=io.loomshim.log.LibraryLogs",
        Library.class.getName()).redirectErrorStream(true).start();
    process.getOutputStream().close();
    List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    assertEquals(0, process.waitFor());
    String all = String.join("\n", lines);
    assertEquals(2, lines.size(), all);
    assertTrue(lines.getFirst().contains("level=warning msg=\"it is late\"")
        && lines.getFirst().contains("logger=some.library")
        && lines.getFirst().contains("error=\"java.io.IOException: no more\""), all);
    assertEquals("io.loomshim.log.LibraryLogs null global", lines.getLast());
    assertFalse(all.contains("nobody asked"));
  }
}
