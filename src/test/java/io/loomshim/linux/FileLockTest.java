package io.loomshim.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileLockTest {
  @TempDir Path temp;

  @Test
  void flockOfUtilLinuxSeesTheLock() throws Exception {
    Path file = temp.resolve("lock");
    try (var lock = FileLock.take(file)) {
      assertEquals(1, new ProcessBuilder("flock", "-n", file.toString(), "true").start().waitFor());
      assertEquals(Errno.EAGAIN, assertThrows(ErrnoException.class, () -> FileLock.tryTake(file)).errno());
    }
    assertEquals(0, new ProcessBuilder("flock", "-n", file.toString(), "true").start().waitFor());
  }
}
