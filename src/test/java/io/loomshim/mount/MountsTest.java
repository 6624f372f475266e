package io.loomshim.mount;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountsTest {
  @TempDir Path temp;

  private static List<String> points(Path directory) throws Exception {
    return MountTable.under(directory).stream().map(MountTable.Entry::point).toList();
  }

  @Test
  void nestedAndStackedMountsAllGo() throws Exception {
    Path top = Files.createDirectory(temp.resolve("a b\\c"));
    Mounts.mount("tmpfs", top.toString(), "tmpfs", 0, "size=64k");
    Mounts.mount("tmpfs", top.toString(), "tmpfs", 0, "size=64k");
    Path inner = Files.createDirectory(top.resolve("inner"));
    Mounts.mount("tmpfs", inner.toString(), "tmpfs", 0, "");
    assertEquals(List.of(inner.toString(), top.toString(), top.toString()), points(top));
    Mounts.unmountAll(top);
    assertEquals(List.of(), points(top));
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
    List<MountTable.Entry> under = MountTable.under(entries, "/a/rootfs");
    assertEquals(List.of("/a/rootfs"), under.stream().map(MountTable.Entry::point).toList());
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
        () -> Mounts.mount("fuse3.no-such-file-system", "src", temp, List.of("a", "b=c")));
    String words = "mount helper [mount.fuse3 [src " + temp + " -o a -o b=c -t no-such-file-system]] failed: \"";
    assertTrue(e.getMessage().startsWith(words), e.getMessage());
  }

  @Test
  void aDirectoryThatIsReachedThroughALinkIsUnmountedToo() throws Exception {
    Path top = Files.createDirectories(temp.resolve("real/rootfs"));
    Path link = Files.createSymbolicLink(temp.resolve("link"), temp.resolve("real"));
    Mounts.mount("tmpfs", "tmpfs", link.resolve("rootfs"), List.of("size=64k"));
    assertEquals(List.of(top.toString()), points(top));
    Mounts.unmountAll(link.resolve("rootfs"));
    assertEquals(List.of(), points(top));
  }

  @Test
  void aLinkInThePlaceOfTheDirectoryIsNotFollowed() throws Exception {
    Path other = Files.createDirectory(temp.resolve("other"));
    Mounts.mount("tmpfs", "tmpfs", other, List.of("size=64k"));
    try {
      Mounts.unmountAll(Files.createSymbolicLink(temp.resolve("rootfs"), other));
      assertEquals(List.of(other.toString()), points(other));
    } finally {
      Mounts.unmountAll(other);
    }
  }

  @Test
  void aReadOnlyRemountOfABindMountKeepsItsPlace() throws Exception {
    Path source = Files.createDirectory(temp.resolve("source"));
    Path target = Files.createDirectory(temp.resolve("target"));
    Mounts.mount("bind", source.toString(), target, List.of("bind"));
    try {
      Mounts.mount("", "", target, List.of("remount", "bind", "ro"));
      assertThrows(java.nio.file.FileSystemException.class, () -> Files.createFile(target.resolve("new")));
      assertEquals(1, points(target).size());
    } finally {
      Mounts.unmountAll(target);
    }
  }

  @Test
  void anInterruptedMountIsNotUnderWayAnyMoreAndTheInterruptIsNotLost() throws Exception {
    Path layers = Files.createDirectories(temp.resolve("snapshots-with-a-long-name-".repeat(4)));
    var lower = new java.util.ArrayList<String>();
    for (int i = 0; i < 40; i++) {
      lower.add(Files.createDirectories(layers.resolve(i + "/fs")).toString());
    }
    Path merged = Files.createDirectory(temp.resolve("merged"));
    boolean interrupted;
    Thread.currentThread().interrupt();
    try {
      Mounts.mount("overlay", "overlay", merged, List.of("lowerdir=" + String.join(":", lower)));
      interrupted = Thread.interrupted(); // it was quicker than the look for an interrupt
    } catch (InterruptedException e) {
      interrupted = true;
    }
    List<String> mounted = points(merged);
    Mounts.unmountAll(merged);
    assertEquals(List.of(merged.toString()), mounted);
    assertTrue(interrupted);
    assertEquals(List.of(), points(merged));
  }

  // ---- loop devices ----

  /** A file with a file system, or nothing where there are no loop devices or no tool to make one. */
  private Path image() throws Exception {
    assumeTrue(Files.exists(Path.of("/dev/loop-control")), "no loop devices here");
    Path image = temp.resolve("image with a long name".repeat(5));
    try (var file = new java.io.RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(8 << 20);
    }
    Path mkfs = Path.of("/sbin/mkfs.ext4");
    assumeTrue(Files.isExecutable(mkfs), "no mkfs.ext4 here");
    assertEquals(0, new ProcessBuilder(mkfs.toString(), "-q", image.toString()).start().waitFor());
    return image;
  }

  private static List<String> attached(Path image) throws Exception {
    var found = new java.util.ArrayList<String>();
    try (var devices = Files.newDirectoryStream(Path.of("/sys/block"), "loop*")) {
      for (Path device : devices) {
        Path file = device.resolve("loop/backing_file");
        if (Files.exists(file) && Files.readString(file).strip().equals(image.toString())) {
          found.add(device.getFileName().toString());
        }
      }
    }
    return found;
  }

  @Test
  void aFileIsMountedThroughALoopDeviceThatGoesWithTheMount() throws Exception {
    Path image = image();
    Path target = Files.createDirectory(temp.resolve("target"));
    for (var options : List.of(List.of("loop"), List.of("loop", "ro"), List.of("direct-io", "loop", "noatime"))) {
      Mounts.mount("ext4", image.toString(), target, options);
      try {
        assertEquals(1, attached(image).size());
        assertTrue(Files.isDirectory(target.resolve("lost+found")));
        Path file = target.resolve("written");
        if (options.contains("ro")) {
          assertThrows(java.nio.file.FileSystemException.class, () -> Files.delete(file));
        } else {
          Files.deleteIfExists(file);
          Files.writeString(file, "x");
        }
      } finally {
        Mounts.unmountAll(target);
      }
      await().untilAsserted(() -> assertEquals(List.of(), attached(image)));
    }
  }

  @Test
  void aLoopDeviceGoesWhenItsMountFails() throws Exception {
    Path image = image();
    Files.write(image, new byte[8 << 20]);
    Path target = Files.createDirectory(temp.resolve("target"));
    assertThrows(ErrnoException.class, () -> Mounts.mount("ext4", image.toString(), target, List.of("loop")));
    await().untilAsserted(() -> assertEquals(List.of(), attached(image)));
    var e = assertThrows(ErrnoException.class,
        () -> Mounts.mount("ext4", temp + "/missing", target, List.of("loop")));
    assertEquals("open " + temp + "/missing: no such file or directory", e.getMessage());
  }
}
