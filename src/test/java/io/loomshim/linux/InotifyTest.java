package io.loomshim.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InotifyTest {
  @TempDir Path temp;

  @Test
  void newFilesAreNamedInOrder() throws Exception {
    try (var inotify = Inotify.open()) {
      int watch = inotify.watch(temp, Inotify.CREATE);
      Files.createFile(temp.resolve("one"));
      Files.createFile(temp.resolve("two-ä"));
      assertEquals(
          List.of(
              new Inotify.Event(watch, Inotify.CREATE, "one"), new Inotify.Event(watch, Inotify.CREATE, "two-ä")),
          inotify.take());
    }
  }

  @Test
  void aWatchThatIsEndedTellsSoAndNothingMoreAndMayBeEndedAgain() throws Exception {
    try (var inotify = Inotify.open()) {
      int watch = inotify.watch(temp, Inotify.CREATE);
      inotify.unwatch(watch);
      Files.createFile(temp.resolve("unseen"));
      assertEquals(List.of(new Inotify.Event(watch, Inotify.IGNORED, "")), inotify.take());
      inotify.unwatch(watch);
    }
  }

  @Test
  void aMissingDirectoryIsAnError() throws Exception {
    try (var inotify = Inotify.open()) {
      var e = assertThrows(ErrnoException.class, () -> inotify.watch(temp.resolve("none"), Inotify.CREATE));
      assertEquals(Errno.ENOENT, e.errno());
    }
  }
}
