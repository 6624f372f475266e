package io.loomshim.rundir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunLinksTest {
  @TempDir Path parent;

  private Path directory(String name) throws Exception {
    return Files.createDirectories(parent.resolve(name).resolve("leases")).getParent();
  }

  @Test
  void launchersOfAnotherBuildFindTheDirectoryByItsNameAndNoLinkIsMadeForItsOwn() throws Exception {
    Path run = directory("b1@ns@x");
    RunLinks.make(run, "b1");
    RunLinks.make(run, "");
    RunLinks.make(run, "b2");
    RunLinks.make(parent.resolve("b2@ns@x"), "b3");
    assertEquals(run.toRealPath(), parent.resolve("b2@ns@x").toRealPath());
    assertEquals(run.toRealPath(), parent.resolve("b3@ns@x").toRealPath());
    try (var files = Files.list(parent)) {
      assertEquals(3, files.count());
    }
    RunLinks.remove(run);
    try (var files = Files.list(parent)) {
      assertEquals(1, files.count());
    }
  }

  @Test
  void aDirectoryThatIsThereAlreadyStaysAndALinkToNothingDoesNot() throws Exception {
    Path run = directory("b1@ns@x");
    Path other = directory("b2@ns@x");
    RunLinks.make(run, "b2");
    assertFalse(Files.isSymbolicLink(other));
    Path link = Files.createSymbolicLink(parent.resolve("b3@ns@x"), Path.of("b0@ns@x"));
    assertTrue(RunLinks.dangling(link));
    RunLinks.make(run, "b3");
    assertEquals(run.toRealPath(), link.toRealPath());
  }

  @Test
  void theEndOfTheDirectoryIsTheEndOfItsNamesWhicheverTheDaemonHad() throws Exception {
    Path run = directory("b1@ns@x");
    RunLinks.make(run, "b2");
    DeadDirectories.removeOwn(parent.resolve("b2@ns@x"));
    try (var files = Files.list(parent)) {
      assertEquals(0, files.count());
    }
  }

  @Test
  void aSweepRemovesLinksToNothingAndNoDirectoryByALink() throws Exception {
    Path own = directory("b1@ns@x");
    Path link = Files.createSymbolicLink(parent.resolve("b3@ns@x"), Path.of("b0@ns@x"));
    Path name = Files.createSymbolicLink(parent.resolve("b2@ns@x"), own.getFileName());
    DeadDirectories.sweep(own);
    assertFalse(Files.isSymbolicLink(link));
    assertTrue(Files.exists(name.resolve("leases")));
  }
}
