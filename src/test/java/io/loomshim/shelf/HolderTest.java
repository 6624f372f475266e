package io.loomshim.shelf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomshim.linux.FileLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HolderTest {
  /** Of a holder whose name nobody can find none stays: it would start a daemon that nobody expects. */
  @Test
  void oneThatCannotBeToldOfIsEnded(@TempDir Path directory) throws Exception {
    Files.createDirectories(directory.resolve(Holder.FILE).resolve("in the way"));
    List<Long> before = children();
    try (Shelf shelf = Shelf.make(); FileLock alive = FileLock.shareDirectory(directory)) {
      assertThrows(IOException.class, () -> Holder.start(shelf, alive.fd(), directory));
      assertEquals(before, children());
    }
  }

  private static List<Long> children() {
    return ProcessHandle.current().children().map(ProcessHandle::pid).sorted().toList();
  }
}
