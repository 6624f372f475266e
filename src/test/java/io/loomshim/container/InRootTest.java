package io.loomshim.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
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

  @Test
  void dotsAfterALinkClimbFromWhereItLeads() throws Exception {
    Files.createDirectories(root.resolve("a/b/c"));
    Files.createSymbolicLink(root.resolve("deep"), Path.of("a/b/c"));
    assertEquals(root.resolve("a/b/x"), InRoot.resolve(root, "deep/../x"));
    assertEquals(root.resolve("x"), InRoot.resolve(root, "deep/../../../../../x"));
  }

  @Test
  void anAbsoluteLinkThatClimbsStopsAtTheRoot() throws Exception {
    Files.createSymbolicLink(root.resolve("link"), Path.of("/../../etc"));
    assertEquals(root.resolve("etc/passwd"), InRoot.resolve(root, "link/passwd"));
    assertEquals(root, InRoot.resolve(root, "link/.."));
  }

  @Test
  void aLinkToTheRootIsTheRoot() throws Exception {
    Files.createSymbolicLink(root.resolve("slash"), Path.of("/"));
    assertEquals(root, InRoot.resolve(root, "slash"));
    assertEquals(root.resolve("x"), InRoot.resolve(root, "slash/slash/../slash/x"));
  }

  @Test
  void linksThatDangleLeadInside() throws Exception {
    Files.createSymbolicLink(root.resolve("one"), Path.of("two/../three"));
    Files.createSymbolicLink(root.resolve("three"), Path.of("/no/../such"));
    assertEquals(root.resolve("such/x"), InRoot.resolve(root, "one/x"));
  }

  @Test
  void theRootItselfMayBeReachedThroughALinkOutside() throws Exception {
    Path real = Files.createDirectory(root.resolve("real"));
    Files.createSymbolicLink(real.resolve("in"), Path.of("../../.."));
    Path link = Files.createSymbolicLink(root.resolve("link"), real);
    assertEquals(link.resolve("x"), InRoot.resolve(link, "in/x"));
  }

  @Test
  void namesOfDotsThatAreNamesAreNames() throws Exception {
    assertEquals(root.resolve(".../..x/.y"), InRoot.resolve(root, ".../..x/.y"));
  }

  @Test
  void noPathThroughAnyLinksLeadsOut() throws Exception {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    var names = List.of("a", "b", "c", "d");
    Path outside = Files.createDirectory(root.resolve("outside"));
    Path inside = Files.createDirectory(outside.resolve("inside"));
    for (int i = 0; i < 40; i++) {
      plant(random, names, inside);
    }
    for (int i = 0; i < 300; i++) {
      String path = path(random, names, 6);
      try {
        Path found = InRoot.resolve(inside, path);
        assertTrue(found.startsWith(inside) && found.equals(found.normalize()), seed + ": " + path + " is " + found);
        Path link = inside;
        for (Path name : inside.relativize(found)) {
          link = link.resolve(name);
          assertFalse(Files.isSymbolicLink(link), seed + ": " + path + " has the link " + link);
        }
      } catch (FileSystemException e) {
        assertEquals("too many levels of symbolic links", e.getReason());
      }
    }
  }

  /** Makes a directory or a link somewhere in {@code root}, where there is nothing yet. */
  private static void plant(Random random, List<String> names, Path root) throws IOException {
    Path at;
    try {
      at = InRoot.resolve(root, path(random, names, 3));
    } catch (FileSystemException e) {
      return; // through links in a circle
    }
    if (Files.notExists(at, LinkOption.NOFOLLOW_LINKS) && Files.isDirectory(at.getParent())) {
      if (random.nextBoolean()) {
        Files.createDirectory(at);
      } else {
        Files.createSymbolicLink(at, Path.of((random.nextBoolean() ? "/" : "") + path(random, names, 4)));
      }
    }
  }

  private static String path(Random random, List<String> names, int length) {
    var path = new StringBuilder(names.get(random.nextInt(names.size())));
    for (int i = random.nextInt(length); i > 0; i--) {
      path.append('/').append(random.nextInt(3) == 0 ? ".." : names.get(random.nextInt(names.size())));
    }
    return path.toString();
  }

  @Test
  void fortyLinksAreFollowedAndNotOneMore() throws Exception {
    for (int i = 0; i < 41; i++) {
      Files.createSymbolicLink(root.resolve("l" + i), Path.of(i == 0 ? "end" : "l" + (i - 1)));
    }
    assertEquals(root.resolve("end"), InRoot.resolve(root, "l39"));
    assertThrows(FileSystemException.class, () -> InRoot.resolve(root, "l40"));
  }

  @Test
  void aNulIsAnError() {
    assertThrows(FileSystemException.class, () -> InRoot.resolve(root, "a\0b"));
  }
}
