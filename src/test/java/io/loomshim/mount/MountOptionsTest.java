package io.loomshim.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.MountCalls;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MountOptionsTest {
  private static final int PAGE = 4096;

  /** Bits as the kernel's include/uapi/linux/mount.h has them. */
  @ParameterizedTest
  @CsvSource({
      "ro, rw, 0x1", "nosuid, suid, 0x2", "nodev, dev, 0x4", "noexec, exec, 0x8", "sync, async, 0x10",
      "mand, nomand, 0x40", "noatime, atime, 0x400", "nodiratime, diratime, 0x800", "relatime, norelatime, 0x200000",
      "strictatime, nostrictatime, 0x1000000"})
  void aWordSetsAFlagAndItsOppositeClearsIt(String sets, String clears, String bit) throws IOException {
    long flag = Long.decode(bit);
    assertEquals(new MountOptions(flag, ""), MountOptions.parse(List.of(sets), PAGE));
    assertEquals(new MountOptions(0, ""), MountOptions.parse(List.of(clears), PAGE));
    assertEquals(new MountOptions(0, ""), MountOptions.parse(List.of(sets, clears), PAGE));
    assertEquals(new MountOptions(flag, ""), MountOptions.parse(List.of(clears, sets), PAGE));
  }

  @ParameterizedTest
  @CsvSource({"bind, 0x1000", "rbind, 0x5000", "dirsync, 0x80", "remount, 0x20"})
  void aWordWithoutOppositeSetsItsFlags(String word, String bits) throws IOException {
    assertEquals(new MountOptions(Long.decode(bits), ""), MountOptions.parse(List.of(word), PAGE));
  }

  @Test
  void everythingElseIsDataInOrder() throws IOException {
    assertEquals(new MountOptions(MountCalls.MS_RDONLY, "defaults,upperdir=/u,shared,size=1M"),
        MountOptions.parse(List.of("defaults", "upperdir=/u", "ro", "shared", "size=1M"), PAGE));
    assertEquals(new MountOptions(0, ""), MountOptions.parse(List.of(), PAGE));
  }

  @Test
  void dataMayFillAPageButNotMore() throws IOException {
    assertEquals(PAGE, MountOptions.parse(List.of("x".repeat(PAGE)), PAGE).data().length());
    var e = assertThrows(IOException.class, () -> MountOptions.parse(List.of("x".repeat(PAGE), ""), PAGE));
    assertEquals("mount options is too long", e.getMessage());
    assertThrows(IOException.class, () -> MountOptions.parse(List.of("é".repeat(PAGE / 2) + "x"), PAGE));
  }

  @Test
  void onlyAReadOnlyBindMountNeedsARemount() throws IOException {
    assertTrue(MountOptions.parse(List.of("rbind", "ro"), PAGE).needsReadOnlyRemount());
    assertFalse(MountOptions.parse(List.of("rbind", "rw"), PAGE).needsReadOnlyRemount());
    assertFalse(MountOptions.parse(List.of("ro"), PAGE).needsReadOnlyRemount());
  }
}
