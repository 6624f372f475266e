package io.loomshim.integration.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The search for pinned virtual threads finds one that is pinned. */
final class PinningIT {
  /** From this release on a virtual thread that waits in synchronized leaves its carrier. */
  private static final int UNPINNED = 24;

  @Test
  void aWaitOfOursThatHoldsItsCarrierIsFound() throws IOException {
    assumeTrue(Runtime.version().feature() < UNPINNED, "only JDKs before 24 pin in synchronized");
    Path source = Scratch.directory("pinner").resolve("Pinner.java");
    try (var text = PinningIT.class.getResourceAsStream("Pinner.java.txt")) {
      Files.copy(text, source);
    }
    var command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java"));
    command.addAll(Pinning.javaOptions());
    command.add(source.toString());
    var pinner = Exec.start(Scratch.BASE, new Exec.Setting(source.getParent(), Map.of(), Exec.Setting.PIPE),
        command);
    Await.until("it has pinned", () -> pinner.output().contains("pinned\n"));
    var problems = Pinning.problems(pinner.pid());
    pinner.feed(new byte[0]);
    pinner.await(Duration.ofSeconds(30)).ok();
    assertEquals(1, problems.size(), problems::toString);
    assertTrue(problems.getFirst().contains("Pinner"), problems::toString);
  }
}
