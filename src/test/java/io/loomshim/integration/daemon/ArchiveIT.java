package io.loomshim.integration.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Shim;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The start-up archive that install.sh makes. From JDK 24 on its classes are linked, and a JVM ends at once when the
 * objects in it do not fit into the old generation that the heap begins with ("Unable to use shared archive", seen with
 * 25.0.3).
 */
final class ArchiveIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final String ARCHIVE = "-XX:SharedArchiveFile=";

  @BeforeAll
  static void ours() {
    Shim.assumeOurs("no other shim has a JVM");
    assumeFalse(Install.JFR, "these daemons have options of their own: run without -Dloomshim.jfr");
  }

  @Test
  void aDaemonHasIt() throws Exception {
    try (var own = new OwnDaemon(BED.rootfs(), Map.of()); var task = own.open("sleep", "1000")) {
      task.create();
      assertTrue(commandLine(own).contains(ARCHIVE), commandLine(own));
      assertFalse(log(own).contains("no use of the start-up archive"), log(own));
    }
  }

  @Test
  void aHeapThatHasNoRoomForItHasADaemonWithoutIt() throws Exception {
    String littleRoom = "-Xms12m -Xmn11m"; // for the old generation: 1 MB
    try (var own = new OwnDaemon(BED.rootfs(), Map.of("java_options", littleRoom));
        var task = own.open("sleep", "1000")) {
      task.create();
      String words = commandLine(own);
      assertTrue(words.contains(littleRoom), words);
      assertEquals(!words.contains(ARCHIVE), log(own).contains("msg=\"no use of the start-up archive\""), log(own));
      if (Runtime.version().feature() == 25) {
        assertFalse(words.contains(ARCHIVE), words);
      }
    }
  }

  private static String commandLine(OwnDaemon own) throws IOException {
    return Files.readString(Path.of("/proc/" + own.current() + "/cmdline")).replace('\0', ' ');
  }

  private static String log(OwnDaemon own) throws IOException {
    Path log = own.daemon().directory().resolve("daemon.log");
    return Files.exists(log) ? Files.readString(log) : "";
  }
}
