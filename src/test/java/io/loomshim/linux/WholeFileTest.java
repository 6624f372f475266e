package io.loomshim.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.mount.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {
  private static final int DISK_BYTES = 64 << 10;
  @TempDir Path temp;
  private Path disk;

  /** One of the ways to write. */
  private interface Writing {
    void to(Path file) throws IOException;
  }

  @BeforeEach
  void mountASmallDisk() throws Exception {
    disk = Files.createDirectory(temp.resolve("disk"));
    Mounts.mount("tmpfs", "tmpfs", disk, List.of("size=" + DISK_BYTES, "nr_inodes=8"), List.of());
  }

  @AfterEach
  void unmount() throws Exception {
    Mounts.unmountAll(disk);
  }

  private static String big() {
    return "x".repeat(DISK_BYTES + 1);
  }

  private List<String> names() throws IOException {
    try (var files = Files.list(disk)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void whereThereIsNoRoomNothingStaysAndTheFileIsNamed() throws Exception {
    Path source = Files.writeString(temp.resolve("source"), big());
    Path file = disk.resolve("f");
    List<Writing> ways = List.of(to -> WholeFile.write(to, big()), to -> WholeFile.writePrivate(to, big()),
        to -> WholeFile.copy(source, to));
    for (Writing way : ways) {
      var e = assertThrows(IOException.class, () -> way.to(file));
      assertEquals("cannot write " + file + ": No space left on device", e.getMessage());
      assertEquals(List.of(), names());
    }
  }

  @Test
  void whereThereIsNoRoomForItsNameTheFileIsNamedToo() throws Exception {
    for (int i = 0; i < 7; i++) {
      Files.createFile(disk.resolve("filler" + i));
    }
    Path file = disk.resolve("f");
    for (Writing way : List.<Writing>of(to -> WholeFile.write(to, "x"), to -> WholeFile.writePrivate(to, "x"))) {
      var e = assertThrows(IOException.class, () -> way.to(file));
      assertEquals("cannot write " + file + ": No space left on device", e.getMessage());
    }
    assertEquals(7, names().size());
  }

  @Test
  void whatWasThereStaysWhereThereIsNoRoomForWhatComes() throws Exception {
    Path file = Files.writeString(disk.resolve("f"), "old");
    List<Writing> ways =
        List.of(to -> WholeFile.write(to, big()), to -> WholeFile.rewrite(to, big().getBytes()));
    for (Writing way : ways) {
      assertThrows(IOException.class, () -> way.to(file));
      assertEquals("old", Files.readString(file));
      assertEquals(List.of("f"), names());
    }
  }

  @Test
  void whatComesTakesThePlaceOfWhatWasThereAndOfADraftThatACrashHasLeft() throws Exception {
    Path file = Files.writeString(disk.resolve("f"), "old");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-x---"));
    Files.writeString(disk.resolve(".f.draft"), "left by a crash");
    WholeFile.rewrite(file, "new".getBytes());
    assertEquals("new", Files.readString(file));
    assertEquals("rwxr-x---", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    Files.writeString(disk.resolve(".f.draft"), "left by a crash");
    WholeFile.writePrivate(file, "newer");
    assertEquals("newer", Files.readString(file));
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    assertEquals(List.of("f"), names());
  }

  @Test
  void aShortFileIsRenewedWhereThereIsNoRoomForAnother() throws Exception {
    Path file = Files.writeString(disk.resolve("f"), "old and longer\n");
    Path filler = disk.resolve("filler");
    assertThrows(IOException.class, () -> Files.writeString(filler, big()));
    WholeFile.renew(file, "new\n");
    assertEquals("new\n", Files.readString(file));
    assertThrows(IOException.class, () -> WholeFile.renew(disk.resolve("g"), "new\n"));
    assertEquals(List.of("f", "filler"), names());
    Files.delete(filler);
    WholeFile.renew(file, "newer\n");
    assertEquals("newer\n", Files.readString(file));
  }

  @Test
  void aMissingDirectoryIsToldByTheNameOfTheFile() {
    Path file = disk.resolve("missing/f");
    var e = assertThrows(NoSuchFileException.class, () -> WholeFile.write(file, "x"));
    assertEquals(file.toString(), e.getFile());
    assertTrue(Files.notExists(file.getParent()));
  }
}
