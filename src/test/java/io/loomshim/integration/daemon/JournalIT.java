package io.loomshim.integration.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.Shims;
import io.loomshim.linux.DatagramReader;
import io.loomshim.testing.JournalText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The setting {@code log}: a daemon that logs into a journal, which a socket of this test stands for. */
final class JournalIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private Path socket;
  private Shims shims;

  @BeforeEach
  void prepare() throws IOException {
    Shim.assumeOurs("the Go shims have no settings");
    Path directory = Scratch.directory("jo");
    socket = directory.resolve("journal");
    shims = new Shims(directory, BED.rootfs());
    // a mistake is what every daemon logs with its first container
    Install.get().configure(Map.of("log", "journal:" + socket, "stuck_seconds", "long"));
  }

  @AfterEach
  void end() {
    Install.get().configure(Map.of("log", "", "stuck_seconds", ""));
    if (shims != null) {
      shims.remove();
    }
  }

  private static Map<String, List<String>> mistake(DatagramReader journal) {
    var found = new ArrayList<Map<String, List<String>>>();
    Await.until("the mistake is in the journal", () -> {
      try {
        journal.next().map(JournalText::fields)
            .filter(entry -> entry.get("MESSAGE").getFirst().startsWith("mistake in the settings "))
            .ifPresent(found::add);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return !found.isEmpty();
    });
    return found.getFirst();
  }

  @Test
  void aDaemonsLineIsAnEntryWithFieldsAndNotInContainerdsLog() throws Exception {
    try (var journal = DatagramReader.at(socket);
        var task = shims.start(Shim.tested(), shims.bundle(Names.id("jo"), "sleep", "1000"))) {
      task.create();
      var entry = mistake(journal);
      assertEquals(List.of("4"), entry.get("PRIORITY"));
      assertEquals(List.of("containerd-shim-loom-v1"), entry.get("SYSLOG_IDENTIFIER"));
      assertEquals(List.of(shims.namespace()), entry.get("LOOMSHIM_NAMESPACE"));
      assertEquals(List.of("Create"), entry.get("LOOMSHIM_METHOD"));
      assertEquals(List.of("rpc/Create/" + task.id()), entry.get("LOOMSHIM_THREAD"));
      assertTrue(entry.get("LOOMSHIM_ERROR").getFirst().endsWith("is not a number of seconds; taken instead: 30"),
          entry::toString);
      assertFalse(task.bundle().log().contains("mistake in the settings"), task.bundle().log());
      task.start();
      task.end();
    }
  }

  @Test
  void withoutAJournalTheLineIsInContainerdsLogAfterTheReason() {
    try (var task = shims.start(Shim.tested(), shims.bundle(Names.id("jo"), "sleep", "1000"))) {
      task.create();
      task.start();
      var lines = task.bundle().log().lines().filter(line -> line.contains(" level=warning ")).toList();
      assertEquals(2, lines.size(), lines::toString);
      assertTrue(lines.getFirst().contains("msg=\"the journal takes no lines; ")
          && lines.getFirst().contains("send to " + socket + ": no such file or directory"), lines::toString);
      assertTrue(lines.getLast().contains("msg=\"mistake in the settings\""), lines::toString);
      task.end();
    }
  }
}
