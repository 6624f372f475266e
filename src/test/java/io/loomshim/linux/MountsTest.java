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

  @Test
  void anOverlayWithMoreLayersThanAPageHoldsIsMountedAndOurDirectoryStaysOurs() throws Exception {
    Path layers = Files.createDirectories(temp.resolve("snapshots-with-a-long-name-".repeat(4)));
    var lower = new java.util.ArrayList<String>();
    for (int i = 0; i < 60; i++) {
      Path layer = Files.createDirectories(layers.resolve(i + "/fs"));
      Files.writeString(layer.resolve("file" + i), "x");
      lower.add(layer.toString());
    }
    for (String name : List.of("upper", "work", "merged")) {
      Files.createDirectory(temp.resolve(name));
    }
    String lowerdir = "lowerdir=" + String.join(":", lower);
    assertTrue(lowerdir.length() > 4096);
    Path cwd = Path.of("/proc/self/cwd").toRealPath();
    Path merged = temp.resolve("merged");
    var options =
        List.of("index=off", "workdir=" + temp.resolve("work"), "upperdir=" + temp.resolve("upper"), lowerdir);
    Mounts.mount("overlay", "overlay", merged, options);
    try {
      assertTrue(Files.exists(merged.resolve("file0")) && Files.exists(merged.resolve("file59")));
      assertEquals(cwd, Path.of("/proc/self/cwd").toRealPath());
    } finally {
      Mounts.unmountAll(merged);
    }
  }

  @Test
  void aReadOnlyBindMountCannotBeWritten() throws Exception {
    Path source = Files.createDirectory(temp.resolve("source"));
    Path target = Files.createDirectory(temp.resolve("target"));
    Mounts.mount("bind", source.toString(), target, List.of("rbind", "ro", "X-containerd.anything=1"));
    try {
      assertThrows(java.nio.file.FileSystemException.class, () -> Files.createFile(target.resolve("new")));
      Files.createFile(source.resolve("new"));
    } finally {
      Mounts.unmountAll(target);
    }
  }

  @Test
  void dataThatExceedsAPageIsRefused() {
    var e = assertThrows(java.io.IOException.class,
        () -> Mounts.mount("tmpfs", "tmpfs", temp, List.of("x".repeat(5000))));
    assertEquals("mount options is too long", e.getMessage());
  }

  @Test
  void aFuseFileSystemIsLeftToItsHelper() {
    assertEquals(List.of("mount.fuse3", "src", "/t", "-o", "a", "-o", "b=c", "-t", "fuse-overlayfs"),
        MountHelper.command("fuse3.fuse-overlayfs", "src", Path.of("/t"), List.of("a", "b=c")));
    assertEquals(List.of("mount.fuse", "src", "/t", "-t", "sshfs"),
        MountHelper.command("fuse.sshfs", "src", Path.of("/t"), List.of()));
  }

  @Test
  void aHelperThatIsMissingOrFailsIsNamed() {
    var e = assertThrows(java.io.IOException.class,
        () -> Mounts.mount("fuse3.no-such-file-system", "src", temp, List.of("a")));
    assertTrue(e.getMessage().contains("mount.fuse3"), e.getMessage());
  }
}
