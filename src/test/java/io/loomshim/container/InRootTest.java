package io.loomshim.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InRootTest {
  @TempDir Path root;

  @Test
  void aPlainPathIsTakenAsItIs() throws Exception {
    assertEquals(root.resolve("a/b"), InRoot.resolve(root, "/a/./b"));
    assertEquals(root.resolve("a/b"), InRoot.resolve(root, "a/b"));
    assertEquals(root, InRoot.resolve(root, "/"));
  }

  @Test
  void dotsNeverLeadOut() throws Exception {
    assertEquals(root.resolve("etc"), InRoot.resolve(root, "/../../../etc"));
    assertEquals(root.resolve("b"), InRoot.resolve(root, "a/../b"));
  }

  @Test
  void anAbsoluteLinkBeginsAtTheRoot() throws Exception {
    Files.createSymbolicLink(root.resolve("link"), Path.of("/nowhere"));
    assertEquals(root.resolve("nowhere/passwd"), InRoot.resolve(root, "link/passwd"));
  }

  @Test
  void aRelativeLinkThatClimbsStopsAtTheRoot() throws Exception {
    Files.createDirectory(root.resolve("a"));
    Files.createSymbolicLink(root.resolve("a/up"), Path.of("../../../../nowhere"));
    assertEquals(root.resolve("nowhere/x"), InRoot.resolve(root, "a/up/x"));
  }

  @Test
  void linksInACircleAreAnError() throws Exception {
    Files.createSymbolicLink(root.resolve("x"), Path.of("y"));
    Files.createSymbolicLink(root.resolve("y"), Path.of("x"));
    var e = assertThrows(FileSystemException.class, () -> InRoot.resolve(root, "x/z"));
    assertEquals("too many levels of symbolic links", e.getReason());
  }
}
