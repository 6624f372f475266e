package io.loomshim.mount;

import static io.loomshim.mount.MappedIds.OPTIONS;
import static io.loomshim.mount.MappedIds.file;
import static io.loomshim.mount.MappedIds.owner;
import static io.loomshim.mount.MappedIds.points;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.mount.MappedIds.Holdings;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappedMountTest {
  @TempDir Path temp;

  private Path disk;
  private Path source;
  private Path target;
  private Holdings before;

  @BeforeEach
  void prepare() throws Exception {
    disk = MappedIds.fileSystem(temp.resolve("disk"));
    source = Files.createDirectory(disk.resolve("source"));
    file(source.resolve("file"));
    target = Files.createDirectory(temp.resolve("target"));
    before = Holdings.now(temp);
  }

  @AfterEach
  void tidy() throws Exception {
    Mounts.unmountAll(temp.resolve("target"));
    Mounts.unmountAll(temp.resolve("disk"));
  }

  private static List<String> with(String... others) {
    var options = new ArrayList<>(OPTIONS);
    options.addAll(List.of(others));
    return options;
  }

  private IOException refused(String type, String from, List<String> options) {
    return assertThrows(IOException.class, () -> Mounts.mount(type, from, target, options));
  }

  @Test
  void theOwnersOfABindMountAreMappedAndThoseOnTheDiskAreNot() throws Exception {
    Mounts.mount("bind", source.toString(), target, with("rw", "rbind"));
    assertEquals("1000:5000", owner(target.resolve("file")));
    assertEquals("0:0", owner(source.resolve("file")));
    assertEquals(List.of(target.toString()), points(target));
    Files.setAttribute(target.resolve("file"), "unix:uid", 1007);
    assertEquals("7:0", owner(source.resolve("file")));
    // root has no id there, so nothing of it can be on the disk
    assertThrows(FileSystemException.class, () -> Files.createFile(target.resolve("new")));
    Mounts.unmountAll(target);
    before.check(temp);
  }

  @Test
  void aReadOnlyBindMountIsMappedToo() throws Exception {
    Mounts.mount("bind", source.toString(), target, with("ro", "rbind", "nosuid"));
    assertEquals("1000:5000", owner(target.resolve("file")));
    assertThrows(FileSystemException.class, () -> Files.setAttribute(target.resolve("file"), "unix:uid", 1001));
    String mount = Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
        .filter(line -> line.contains(" " + target + " ")).findFirst().orElseThrow();
    assertTrue(mount.contains(" ro,nosuid,"), mount);
    assertTrue(mount.contains("idmapped"), mount);
  }

  @Test
  void whatIsMountedBelowIsMappedOrLeftOutAsTheBindMountSays() throws Exception {
    Path inner = MappedIds.fileSystem(source.resolve("inner"));
    file(inner.resolve("deep"));
    Mounts.mount("bind", source.toString(), target, with("rbind"));
    assertEquals("1000:5000", owner(target.resolve("inner/deep")));
    Mounts.unmountAll(target);
    Mounts.mount("bind", source.toString(), target, with("bind"));
    assertFalse(Files.exists(target.resolve("inner/deep")));
  }

  @Test
  void anotherFileSystemIsMountedOnceAndMapped() throws Exception {
    String release = Kernel.release();
    assumeTrue(!Kernel.before(release, 6, 3), "tmpfs maps ids from Linux 6.3 on, this is " + release);
    Mounts.mount("tmpfs", "tmpfs", target, with("size=64k", "mode=751", "noexec"));
    assertEquals("1000:5000", owner(target));
    assertEquals(List.of(target.toString()), points(target));
    Mounts.unmountAll(target);
    before.check(temp);
  }

  @Test
  void aFileSystemInAFileIsMapped() throws Exception {
    assumeTrue(Files.exists(Path.of("/dev/loop-control")), "no loop devices here");
    assumeTrue(Files.isExecutable(Path.of("/sbin/mkfs.ext4")), "no mkfs.ext4 here");
    Path image = temp.resolve("image");
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(8 << 20);
    }
    new ProcessBuilder("/sbin/mkfs.ext4", "-q", image.toString()).inheritIO().start().waitFor();
    Mounts.mount("ext4", image.toString(), target, with("loop"));
    assertEquals("1000:5000", owner(target.resolve("lost+found")));
  }

  @Test
  void aFileSystemThatCannotMapIsNamedAndNothingIsLeft() throws Exception {
    String text = refused("bind", "/proc", with("rbind")).getMessage();
    String release = Kernel.release();
    assertEquals("ids of /proc cannot be mapped: Linux " + release + " cannot do that on proc", text);
    before.check(temp);
    text = refused("proc", "proc", with("nosuid")).getMessage();
    assertEquals("ids of " + target + " cannot be mapped: Linux " + release + " cannot do that on proc", text);
    before.check(temp);
  }

  @Test
  void idsAreNotMappedTwice() throws Exception {
    Mounts.mount("bind", source.toString(), target, with("rbind"));
    Path second = Files.createDirectory(disk.resolve("second"));
    var e = assertThrows(IOException.class, () -> Mounts.mount("bind", target.toString(), second, with("rbind")));
    assertEquals("ids of " + target + " cannot be mapped: they are mapped already, or it is not permitted",
        e.getMessage());
    assertEquals(List.of(), points(second));
  }

  @Test
  void whatIsMissingIsNamedAndNothingIsLeft() throws Exception {
    assertEquals("open_tree /no/such/source: no such file or directory",
        refused("bind", "/no/such/source", with("rbind")).getMessage());
    Path missing = temp.resolve("missing");
    var e = assertThrows(IOException.class, () -> Mounts.mount("bind", source.toString(), missing, with("rbind")));
    assertEquals("move_mount to " + missing + ": no such file or directory", e.getMessage());
    before.check(temp);
  }

  @Test
  void mappingsThatTheKernelRefusesAreNamed() throws Exception {
    String text = refused("bind", source.toString(), List.of("bind", "uidmap=0:1:9,5:20:1", "gidmap=0:0:1"))
        .getMessage();
    assertEquals("the kernel refuses uidmap=0:1:9,5:20:1 gidmap=0:0:1: invalid argument "
        + "(ranges overlap, or there are too many)", text);
    before.check(temp);
  }

  @Test
  void aMappingOfOneKindAloneAndARemountAreRefused() throws Exception {
    assertEquals("the mount has uidmap=0:1:2 and no gidmap=: both are needed",
        refused("bind", source.toString(), List.of("bind", "uidmap=0:1:2")).getMessage());
    assertEquals("a remount cannot map ids (uidmap=0:1000:1000 gidmap=0:5000:1000)",
        refused("bind", source.toString(), with("remount", "bind", "ro")).getMessage());
    before.check(temp);
  }

  @Test
  void theTypeOfAPlaceIsThatOfTheDeepestMountAbove() throws Exception {
    var table = MountTable.parse("""
        1 0 8:1 / / rw - ext4 /dev/x rw
        2 1 0:5 / /a rw - tmpfs x rw
        3 1 0:6 / /a rw - xfs x rw
        4 1 0:7 / /ab rw - btrfs x rw
        """);
    assertEquals("ext4", MountTable.typeAt(table, Path.of("/b/c")));
    assertEquals("xfs", MountTable.typeAt(table, Path.of("/a/b")));
    assertEquals("btrfs", MountTable.typeAt(table, Path.of("/ab")));
    assertEquals("this file system", MountTable.typeAt(List.of(), Path.of("/ab")));
  }
}
