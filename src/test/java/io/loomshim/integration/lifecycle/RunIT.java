package io.loomshim.integration.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A container from beginning to end, as a user of {@code ctr run} sees it. */
final class RunIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();

  @Test
  void aRunPrintsItsOutputAndEndsWithZero() {
    var result = BED.ctr().run(SHIM, Names.id("hello"), "sh", "-c", "echo hello; echo oh >&2").ok();
    assertEquals("hello\n", result.text());
    assertEquals("oh\n", result.errors());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 42, 127, 255})
  void anExitCodeArrives(int code) {
    var result = BED.ctr().run(SHIM, Names.id("exit"), "sh", "-c", "exit " + code);
    assertEquals(code, result.exit(), result::toString);
  }

  @Test
  void theIdOfADeletedContainerCanBeUsedAgain() {
    String id = Names.id("again");
    for (String word : List.of("one", "two", "three")) {
      assertEquals(word + "\n", BED.ctr().run(SHIM, id, "echo", word).ok().text());
    }
  }

  @Test
  void twoContainersWithOneIdLiveInTwoNamespaces() {
    String id = Names.id("twin");
    var other = BED.ctr().in(Names.namespace());
    BED.ctr().detached(SHIM, id, "sleep", "1000");
    other.detached(SHIM, id, "sleep", "1000");
    assertEquals("RUNNING", BED.ctr().status(id));
    assertEquals("RUNNING", other.status(id));
    assertTrue(BED.ctr().pid(id) != other.pid(id));
    assertEquals(137, other.end(id));
    assertEquals("RUNNING", BED.ctr().status(id));
    assertEquals(137, BED.ctr().end(id));
  }
}
