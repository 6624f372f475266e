package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class RuntimeVersionTest {
  private static RuntimeVersion of(String text) {
    return RuntimeVersion.parse(text);
  }

  @Test
  void whatRuntimesPrintIsRead() {
    assertEquals(new RuntimeVersion("runc", 1, 1),
        of("runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\nspec: 1.0"));
    assertEquals(new RuntimeVersion("runc", 1, 0), of("runc version 1.0.0-rc93\n"));
    assertEquals(new RuntimeVersion("crun", 1, 28), of("crun version 1.28\ncommit: abc\nrundir: /run/user/0/crun"));
    assertEquals(new RuntimeVersion("runc", 1, 2),
        of("NVIDIA Container Runtime version 1.17.4\ncommit: 9b6\nspec: 1.2.0\n\nrunc version 1.2.4\n"));
  }

  @Test
  void anyOtherTextIsOfAnUnknownOne() {
    for (String text : new String[] {"", "runc", "runc version", "runc version x.1", "runc version 1",
        "runc version 1.", "runsc version release-20240101.0", "xrunc version 1.2", "youki version 0.4.1"}) {
      assertEquals(RuntimeVersion.UNKNOWN, of(text), text);
    }
  }

  @Test
  void onV2OnlyThoseAreHelpedThatMoveByAWrite() {
    assertTrue(of("runc version 1.3.6").execMovesOnV2());
    assertFalse(of("runc version 1.4.0").execMovesOnV2());
    assertFalse(of("runc version 2.0.0").execMovesOnV2());
    assertTrue(of("runc version 1.4.3").createMovesOnV2());
    assertTrue(of("crun version 1.3").execMovesOnV2());
    assertFalse(of("crun version 1.4").execMovesOnV2());
    assertTrue(of("crun version 1.6").createMovesOnV2());
    assertFalse(of("crun version 1.7").createMovesOnV2());
    assertFalse(RuntimeVersion.UNKNOWN.execMovesOnV2());
    assertFalse(RuntimeVersion.UNKNOWN.createMovesOnV2());
  }
}
