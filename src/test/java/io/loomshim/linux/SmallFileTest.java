package io.loomshim.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SmallFileTest {
  @Test
  void aFileOfTheKernelIsReadWhole() throws Exception {
    assertEquals(Files.readString(Path.of("/proc/self/limits")), SmallFile.text("/proc/self/limits"));
  }

  @Test
  void severalReadsAreJoined(@TempDir Path directory) throws Exception {
    String text = IntStream.range(0, 3_000).mapToObj(Integer::toString).collect(Collectors.joining("\n"));
    Path file = Files.writeString(directory.resolve("long"), text);
    assertEquals(text, SmallFile.text(file.toString()));
    assertEquals("", SmallFile.text(Files.createFile(directory.resolve("empty")).toString()));
  }

  @Test
  void aFailureHasItsNumber() throws Exception {
    var none = assertThrows(ErrnoException.class, () -> SmallFile.text("/proc/none"));
    assertEquals("open /proc/none: no such file or directory", none.getMessage());
    assertEquals(Errno.ENOENT, none.errno());
    assertEquals(Errno.EISDIR, assertThrows(ErrnoException.class, () -> SmallFile.text("/proc")).errno());
  }

  @Test
  void noDescriptorStays() throws Exception {
    String before = SmallFile.text("/proc/self/stat");
    assertTrue(before.startsWith(Long.toString(ProcessHandle.current().pid())));
    int open = Path.of("/proc/self/fd").toFile().list().length;
    for (int i = 0; i < 50; i++) {
      SmallFile.text("/proc/self/stat");
      assertThrows(ErrnoException.class, () -> SmallFile.text("/proc"));
    }
    assertTrue(Path.of("/proc/self/fd").toFile().list().length < open + 40);
  }
}
