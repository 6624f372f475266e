package io.loomshim.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;

class ProgramCopyTest {
  private static int status(String... command) throws Exception {
    return new ProcessBuilder(command).inheritIO().start().waitFor();
  }

  @Test
  void aCopyHasTheSameBytesAndRuns() throws Exception {
    ProgramCopy copy = ProgramCopy.of("/bin/true", "copy-of-true");
    assertArrayEquals(Files.readAllBytes(Path.of("/bin/true")), Files.readAllBytes(Path.of(copy.path())));
    assertEquals("/memfd:copy-of-true (deleted)", Files.readSymbolicLink(Path.of(copy.path())).toString());
    assertEquals(0, status(copy.path()));
    copy.retire();
    assertFalse(Files.isExecutable(Path.of(copy.path())));
  }

  @Test
  void rootItselfCannotWriteToIt() throws Exception {
    ProgramCopy copy = ProgramCopy.of("/bin/true", "t");
    try {
      assertThrows(IOException.class, () -> Files.write(Path.of(copy.path()), new byte[] {1}));
      assertEquals(1, status("/bin/sh", "-c", "exec 2>/dev/null; printf x 1<> " + copy.path() + " || exit 1"));
    } finally {
      copy.retire();
    }
  }

  @Test
  void whereTheKernelCanItsModeIsFixed() throws Exception {
    ProgramCopy copy = ProgramCopy.of("/bin/true", "t");
    try {
      assumeTrue(copy.immutable(), "needs Linux 6.1 and root");
      Path path = Path.of(copy.path());
      var nothing = PosixFilePermissions.fromString("---------");
      assertThrows(IOException.class, () -> Files.setPosixFilePermissions(path, nothing));
      assertEquals("r-xr-xr-x", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
    } finally {
      copy.retire();
    }
  }

  @Test
  void aMissingProgramIsNamed() {
    var failure = assertThrows(ErrnoException.class, () -> ProgramCopy.of("/no/such/program", "t"));
    assertEquals("open /no/such/program: no such file or directory", failure.getMessage());
  }
}
