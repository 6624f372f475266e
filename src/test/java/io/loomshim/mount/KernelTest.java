package io.loomshim.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KernelTest {
  @ParameterizedTest
  @CsvSource({"5.18.0,true", "5.19.0,false", "5.19-rc1,false", "6.1.0-13-amd64,false", "4.20,true", "10.0,false",
      "5.9.1,true", "x.y,false", "5,false", "'',false"})
  void releasesAreComparedByNumber(String release, boolean older) {
    assertEquals(older, Kernel.before(release, 5, 19));
  }

  @Test
  void thisOneIsNewerThanTheOldestThatADaemonRunsOn() throws Exception {
    assertFalse(Kernel.before(Kernel.release(), 5, 3), Kernel.release()); // pidfd_open(2)
  }
}
