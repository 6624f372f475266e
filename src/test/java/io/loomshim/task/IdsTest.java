package io.loomshim.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import org.junit.jupiter.api.Test;

class IdsTest {
  @Test
  void whatContainerdAllowsPasses() {
    for (String id : new String[] {"a", "0", "web-1", "A.b_c-D", "1.2.3", "x".repeat(76), "x".repeat(Ids.LENGTH_MAX)}) {
      assertEquals(id, Ids.check(id));
    }
  }

  @Test
  void whatCouldBecomeAnotherPathOrAnOptionIsRefused() {
    String[] hostile = {
      "", ".", "..", "../x", "a/b", "/etc", "a/../b", "-rf", "--root", ".hidden", "_x", "a-", "a.", "a..b", "a--b",
      "a._b", "a b", " a", "a\n", "a\0b", "a\\b", "a;b", "$(id)", "a*", "ä", "a\u2215b", "\u0661", "a\ud83d\ude00",
      "\ud83d", "x".repeat(Ids.LENGTH_MAX + 1)
    };
    for (String id : hostile) {
      var e = assertThrows(StatusException.class, () -> Ids.check(id), id);
      assertEquals(Code.INVALID_ARGUMENT, e.code(), id);
    }
  }

  @Test
  void theRefusalShowsTheIdButNotAllOfAHugeOne() {
    var e = assertThrows(StatusException.class, () -> Ids.check("a/b"));
    assertEquals("id \"a/b\" is not valid: invalid argument", e.getMessage());
    var huge = assertThrows(StatusException.class, () -> Ids.check("y".repeat(1_000_000)));
    assertTrue(huge.getMessage().length() < 300);
  }
}
