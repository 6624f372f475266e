package io.loomshim.bench.loom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.bench.figure.Side;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class VariantsTest {
  @Test
  void theSidesOfAJdkAreOursAndTheGoShims() {
    assertEquals(Variants.ALL.size(), new HashSet<>(Variants.ALL.stream().map(Side::runtime).toList()).size()
        + Variants.GO.size() - 2, "no two of ours are one runtime");
    assertEquals(List.of("virtual-21", "platform-21", "loop-21", "fixed64-21", "pinned-21", "runc.v2-group", "runc.v1"),
        Variants.of(21).stream().map(Side::name).toList());
    assertEquals(List.of("virtual-27", "platform-27", "loop-27", "runc.v2-group", "runc.v1"),
        Variants.of(27).stream().map(Side::name).toList());
  }

  @Test
  void aNameIsThatOfTheProgramThatIsInstalled() {
    Side side = Variants.of("fixed64", 25);
    assertEquals("containerd-shim-fixed6425-v1", side.program());
    assertEquals("io.containerd.fixed6425.v1", side.runtime());
    assertEquals("fixed:64, JDK 25", side.title());
    assertEquals("fixed:64", Variants.kind(side));
    assertEquals("platform, lean", Variants.kind(Variants.of("platformlean", 25)));
    assertEquals("runc.v2, one group", Variants.kind(Side.GROUP));
  }

  @Test
  void onlyFixedNumbersOfThreadsRefuseCalls() {
    assertEquals(List.of("fixed64-25", "fixed64-21", "fixed512-25"),
        Variants.ALL.stream().filter(Variants::limited).map(Side::name).toList());
    assertTrue(Variants.containersMax(Side.RUNC_V1) == 2000);
  }
}
