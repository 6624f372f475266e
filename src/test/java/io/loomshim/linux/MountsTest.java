package io.loomshim.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountsTest {
  @TempDir Path temp;

  @Test
  void nestedAndStackedMountsAllGo() throws Exception {
    Path top = Files.createDirectory(temp.resolve("a b\\c"));
    Mounts.mount("tmpfs", top.toString(), "tmpfs", 0, "size=64k");
    Mounts.mount("tmpfs", top.toString(), "tmpfs", 0, "size=64k");
    Path inner = Files.createDirectory(top.resolve("inner"));
    Mounts.mount("tmpfs", inner.toString(), "tmpfs", 0, "");
    assertEquals(List.of(inner.toString(), top.toString(), top.toString()), MountTable.under(top));
    Mounts.unmountAll(top);
    assertTrue(MountTable.under(top).isEmpty());
  }

  @Test
  void unmountingNothingIsFine() throws Exception {
    Mounts.unmountAll(temp);
    Mounts.unmountAll(temp.resolve("missing"));
  }

  @Test
  void aFailedMountSaysWhy() {
    var e =
        assertThrows(
            ErrnoException.class, () -> Mounts.mount("none", temp.resolve("missing").toString(), "tmpfs", 0, ""));
    assertEquals(Errno.ENOENT, e.errno());
  }

  @Test
  void aNeighbourWhoseNameBeginsAlikeIsNotUnder() {
    var entries =
        MountTable.parse(
            "36 35 98:0 /r /a/rootfs rw - ext4 /dev/x rw\n37 35 98:0 / /a/rootfs2 rw m:1 - tmpfs x rw\n");
    assertEquals(List.of("/a/rootfs"), MountTable.under(entries, "/a/rootfs"));
    assertEquals("/r", entries.get(0).root());
    assertEquals("tmpfs", entries.get(1).type());
  }
}
