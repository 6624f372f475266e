package io.loomshim.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.DatagramReader;
import io.loomshim.log.Log;
import io.loomshim.testing.JournalText;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Lines of the log as entries of a journal, which a socket of this test takes. */
class JournalTest {
  private static final int LARGER_THAN_A_DATAGRAM = 1 << 20;

  @TempDir Path temp;
  private final List<String> otherwise = new ArrayList<>();
  private final Log.Sink fallback =
      (id, line) -> otherwise.add(id + "> " + new String(line, StandardCharsets.UTF_8).replaceFirst("time=\\S+ ", ""));

  @BeforeEach
  void use() {
    Log.to(Journal.of(temp.resolve("socket").toString(), "shop", fallback));
  }

  @AfterEach
  void restore() {
    Log.debug(false);
    Log.to((id, line) -> System.err.write(line, 0, line.length));
  }

  private static Map<String, List<String>> next(DatagramReader journal) throws Exception {
    return JournalText.fields(journal.next().orElseThrow());
  }

  @Test
  void anEntryHasTheMessageThePriorityAndAFieldForEachValue() throws Exception {
    try (var journal = DatagramReader.at(temp.resolve("socket"))) {
      Log.warn("output is lost", "id", "web-1", "exec", "probe", "error", "no room left", "retry.ms", "7");
      var entry = next(journal);
      assertEquals(Map.of("MESSAGE", List.of("output is lost id=web-1 exec=probe error=\"no room left\" retry.ms=7"),
          "PRIORITY", List.of("4"), "SYSLOG_IDENTIFIER", List.of("containerd-shim-loom-v1"),
          "LOOMSHIM_NAMESPACE", List.of("shop"), "LOOMSHIM_THREAD", List.of(Thread.currentThread().getName()),
          "LOOMSHIM_CONTAINER", List.of("web-1"), "LOOMSHIM_EXEC", List.of("probe"),
          "LOOMSHIM_ERROR", List.of("no room left"), "LOOMSHIM_RETRY_MS", List.of("7")), entry);
      assertEquals(List.of(), otherwise);
    }
  }

  @Test
  void thePriorityIsThatOfSyslog() throws Exception {
    try (var journal = DatagramReader.at(temp.resolve("socket"))) {
      Log.debug(true);
      Log.error("e");
      Log.warn("w");
      Log.info("i");
      Log.debug("d");
      for (String expected : List.of("e 3", "w 4", "i 6", "d 7")) {
        var entry = next(journal);
        assertEquals(expected, entry.get("MESSAGE").getFirst() + " " + entry.get("PRIORITY").getFirst());
      }
    }
  }

  @Test
  void theCallThatLogsIsAFieldOfItsOwn() throws Exception {
    try (var journal = DatagramReader.at(temp.resolve("socket"))) {
      Thread.ofVirtual().name("rpc/Create/web/1").start(() -> Log.info("x")).join();
      var entry = next(journal);
      assertEquals(List.of("Create"), entry.get("LOOMSHIM_METHOD"));
      assertEquals(List.of("rpc/Create/web/1"), entry.get("LOOMSHIM_THREAD"));
    }
  }

  @Test
  void aValueWithLineFeedsEndsNoFieldAndMakesNone() throws Exception {
    try (var journal = DatagramReader.at(temp.resolve("socket"))) {
      String value = "first\nPRIORITY=0\n\nlast é";
      Log.info("a\nb", "error", value, "", "");
      var entry = next(journal);
      assertEquals(List.of(value), entry.get("LOOMSHIM_ERROR"));
      assertTrue(entry.get("MESSAGE").getFirst().startsWith("a\nb error=\"first\\n"), entry::toString);
      assertEquals(List.of("6"), entry.get("PRIORITY"));
      assertEquals(List.of(""), entry.get("LOOMSHIM_"));
    }
  }

  @Test
  void whileThereIsNoJournalLinesGoWhereTheyWouldAndTheFirstAfterTheReason() throws Exception {
    Log.warn("one", "id", "web-1");
    Log.warn("two");
    assertEquals(List.of(
        "web-1> level=warning msg=\"the journal takes no lines; they go into containerd's log\""
            + " runtime=io.containerd.loom.v1 id=web-1 error=\"send to " + temp + "/socket: no such file or"
            + " directory\"\n",
        "web-1> level=warning msg=one runtime=io.containerd.loom.v1 id=web-1\n",
        "> level=warning msg=two runtime=io.containerd.loom.v1\n"), otherwise);
    try (var journal = DatagramReader.at(temp.resolve("socket"))) {
      Log.warn("three");
      assertEquals(List.of("three"), next(journal).get("MESSAGE"));
    }
    Log.warn("four");
    assertEquals(5, otherwise.size(), otherwise::toString);
  }

  @Test
  void aLineThatIsTooLargeForADatagramIsNotLost() throws Exception {
    try (var journal = DatagramReader.at(temp.resolve("socket"))) {
      Log.warn("large", "trace", "x".repeat(LARGER_THAN_A_DATAGRAM));
      assertTrue(otherwise.getFirst().contains("message too long"), otherwise.getFirst());
      assertTrue(otherwise.get(1).length() > LARGER_THAN_A_DATAGRAM);
      assertTrue(journal.next().isEmpty());
    }
  }

  @Test
  void aJournalThatDoesNotKeepUpHoldsNothingUp() throws Exception {
    try (var journal = DatagramReader.at(temp.resolve("socket"))) {
      int sent = 0;
      while (otherwise.isEmpty()) {
        Log.info("line " + sent++);
      }
      assertTrue(otherwise.getFirst().contains("temporarily unavailable"), otherwise.getFirst());
      assertEquals(List.of("line 0"), next(journal).get("MESSAGE"));
    }
  }

  @Test
  void aPathThatNoSocketCanHaveLeavesTheLogAsItIs() {
    assertSame(fallback, Journal.of("/" + "x".repeat(107), "shop", fallback));
    assertTrue(otherwise.getFirst().contains("file name too long"), otherwise.getFirst());
    assertSame(fallback, Journal.of("", "shop", fallback));
  }
}
