package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.loomshim.runc.RuncLog.Finding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RuncLogTest {
  @TempDir Path dir;

  private static String entry(String level, String message) {
    return "{\"level\":\"" + level + "\",\"msg\":\"" + message + "\",\"time\":\"2022-01-01T00:00:00Z\"}\n";
  }

  private Path log(String text) throws IOException {
    return Files.writeString(dir.resolve("log.json"), text);
  }

  @Test
  void theLastErrorCounts() throws IOException {
    Path log = log(entry("error", "first") + entry("warning", "w") + entry("error", " second ") + entry("info", "i"));
    assertEquals(new Finding.Message("second"), RuncLog.find(log, 0));
  }

  @Test
  void aLogWithoutErrorsHasNothingToSay() throws IOException {
    assertEquals(new Finding.None(), RuncLog.find(log(""), 0));
    assertEquals(new Finding.None(), RuncLog.find(log(entry("warning", "w") + "{\"msg\":\"no level\"}"), 0));
    assertEquals(new Finding.None(), RuncLog.find(log(entry("error", " ")), 0));
  }

  @Test
  void keysMayBeWrittenInAnyCase() throws IOException {
    assertEquals(new Finding.Message("m"), RuncLog.find(log("{\"Level\":\"error\",\"MSG\":\"m\"}"), 0));
  }

  @Test
  void onlyWhatStandsBehindTheOffsetBelongsToTheCall() throws IOException {
    String old = entry("error", "old");
    Path log = log(old);
    long offset = RuncLog.size(log);
    assertEquals(old.length(), offset);
    assertEquals(new Finding.None(), RuncLog.find(log, offset));
    log(old + entry("error", "new"));
    assertEquals(new Finding.Message("new"), RuncLog.find(log, offset));
  }

  @Test
  void aLogThatShrankIsReadFromItsStart() throws IOException {
    assertEquals(new Finding.Message("new"), RuncLog.find(log(entry("error", "new")), 10_000));
  }

  @Test
  void aMissingLogAndABrokenOneAreUnreadable() throws IOException {
    Path missing = dir.resolve("none.json");
    assertEquals(0, RuncLog.size(missing));
    assertEquals(new Finding.Unreadable("open " + missing + ": no such file or directory"),
        RuncLog.find(missing, 0));
    var broken = assertInstanceOf(Finding.Unreadable.class, RuncLog.find(log(entry("error", "x") + "panic: y"), 0));
    assertEquals("invalid JSON at offset 58: unexpected 'p' where a value should stand", broken.why());
    assertEquals(new Finding.Unreadable("an entry is not a JSON object"), RuncLog.find(log("[1]"), 0));
    assertInstanceOf(Finding.Unreadable.class, RuncLog.find(dir, 0));
  }

  @Test
  void ofAHugeLogOnlyTheEndIsRead() throws IOException {
    String line = entry("error", "x".repeat(1000));
    String text = line.repeat(RuncLimits.LOG_BYTES_MAX / line.length() + 10) + entry("error", "last");
    assertEquals(new Finding.Message("last"), RuncLog.find(log(text), 0));
  }

  @Test
  void theClientsTextPrefersTheLog() {
    var withEntry = RuncException.failed("E", new Finding.Message("M"));
    assertEquals("OCI runtime create failed: M", withEntry.logged("OCI runtime create failed"));
    assertEquals("E", withEntry.text());
    assertEquals("P: E", RuncException.failed("E", new Finding.None()).logged("P"));
    assertEquals("P: unable to retrieve OCI runtime error (why): E",
        RuncException.failed("E", new Finding.Unreadable("why")).logged("P"));
    assertEquals("P: E", RuncException.timedOut("E").logged("P"));
  }
}
