package io.loomshim.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IdMappingTest {
  private static String refused(String... options) {
    return assertThrows(IOException.class, () -> IdMapping.of(List.of(options))).getMessage();
  }

  @Test
  void rangesBecomeTheLinesOfAMap() throws Exception {
    var mapping = IdMapping.of(List.of("rbind", "uidmap=0:1000:65536", "gidmap=0:5000:10,10:7:1", "rw"));
    assertEquals(Optional.of(new IdMapping("0 1000 65536\n", "0 5000 10\n10 7 1\n")), mapping);
    assertEquals("uidmap=0:1000:65536 gidmap=0:5000:10,10:7:1", mapping.get().toString());
    assertEquals(List.of("rbind", "rw"), IdMapping.without(List.of("rbind", "uidmap=x", "gidmap=y", "rw")));
  }

  @Test
  void mostMountsHaveNone() throws Exception {
    assertEquals(Optional.empty(), IdMapping.of(List.of("rbind", "xuidmap=0:0:1", "lowerdir=/uidmap=")));
  }

  @Test
  void idsOfOneKindAreRefused() {
    assertEquals("the mount has uidmap=0:1:2 and no gidmap=: both are needed", refused("uidmap=0:1:2"));
    assertEquals("the mount has gidmap=0:1:2 and no uidmap=: both are needed", refused("rw", "gidmap=0:1:2"));
  }

  @ParameterizedTest
  @CsvSource({"''", "0", "0:1", "0:1:2:3", "a:1:2", "0::2", "-1:0:1", "0:+1:1", "0x1:1:1", "0:1:2;", "'0:1:2 '",
      "00000000000:1:1"})
  void whatIsNoMappingIsNamed(String words) {
    assertEquals("uidmap=" + words + " is not of the form CONTAINER-ID:HOST-ID:SIZE[,...]",
        refused("uidmap=" + words, "gidmap=0:0:1"));
    assertEquals("gidmap=" + words + " is not of the form CONTAINER-ID:HOST-ID:SIZE[,...]",
        refused("uidmap=0:0:1", "gidmap=" + words));
  }

  @Test
  void idsThatThereAreNotAreNamed() throws Exception {
    assertEquals("uidmap=0:0:0 has a range of size 0", refused("uidmap=0:0:0", "gidmap=0:0:1"));
    assertEquals("gidmap=0:4294967295:1 has ids above 4294967294", refused("uidmap=0:0:1", "gidmap=0:4294967295:1"));
    assertEquals("gidmap=0:1:4294967295 has ids above 4294967294", refused("uidmap=0:0:1", "gidmap=0:1:4294967295"));
    assertEquals("4294967294 0 1\n",
        IdMapping.of(List.of("uidmap=4294967294:0:1", "gidmap=0:0:4294967295")).orElseThrow().uids());
  }
}
