package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class RuncVersionTest {
  private static boolean supported(String first) {
    Optional<RuncVersion> version = RuncVersion.parse(first + "\ncommit: x\nspec: 1.0.2-dev\ngo: go1.19.8\n");
    return version.isPresent() && version.get().supported();
  }

  @Test
  void theNumbersAreRead() {
    assertEquals(Optional.of(new RuncVersion(1, 1, 5, 0, false)),
        RuncVersion.parse("runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\n"));
    assertEquals(Optional.of(new RuncVersion(1, 0, 0, 93, false)), RuncVersion.parse("runc version 1.0.0~rc93+ds1"));
    assertEquals(Optional.of(new RuncVersion(1, 4, 0, 2, false)), RuncVersion.parse("runc version 1.4.0-rc.2\n"));
    assertEquals(Optional.of(new RuncVersion(1, 5, 0, 1, true)), RuncVersion.parse("runc version 1.5.0-rc.1+dev"));
  }

  @Test
  void versionsWhoseSourceHasBeenReadAreSupported() {
    for (String version : new String[] {"1.0.0~rc93+ds1", "1.0.0-rc95", "1.0.0", "1.0.3", "1.1.5+ds1", "1.1.15",
      "1.1.12-0ubuntu2~22.04.1", "1.2.0-rc.1", "1.2.4-k3s1", "1.3.6", "1.4.3", "1.5.1"}) {
      assertEquals(true, supported("runc version " + version), version);
    }
  }

  @Test
  void olderAndNewerOnesAndBuildsBetweenReleasesAreNot() {
    for (String version : new String[] {"1.0.0-rc92", "1.0.0~rc10", "0.1.1", "1.6.0", "2.0.0", "1.5.0-rc.1+dev",
      "1.1.0-dev", "unknown", "", "1", "1.1", "1.1.", "1..5", "1.1.x", "99999999999.1.1"}) {
      assertEquals(false, supported("runc version " + version), version);
    }
  }

  @Test
  void anotherProgramIsNot() {
    assertEquals(false, supported("crun version 1.8.1"));
    assertEquals(false, supported("NVIDIA Container Runtime version 1.13.5\nrunc version 1.1.5"));
    assertEquals(false, supported(""));
  }
}
