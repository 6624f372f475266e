package io.loomshim.shelf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import io.loomshim.metrics.Shortages;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A shelf against the kernel: what another process would find, seen through duplicates of the ends. */
class ShelfTest {
  private static byte[] note(String text) {
    return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }

  private static TreeSet<String> notes(List<Found> found) {
    var notes = new TreeSet<String>();
    for (Found thing : found) {
      notes.add(new String(thing.note(), java.nio.charset.StandardCharsets.UTF_8));
      thing.fds().forEach(Fd::close);
    }
    return notes;
  }

  @Test
  void whatIsKeptIsFoundAndStays() throws Exception {
    try (Shelf shelf = Shelf.make(); Pipe pipe = Pipe.open()) {
      shelf.put(note("pipe"), List.of(pipe.reader(), pipe.writer()));
      try (Shelf other = SecondShelf.of(shelf)) {
        List<Found> found = other.look();
        assertEquals(1, found.size());
        assertArrayEquals(note("pipe"), found.getFirst().note());
        found.getFirst().fds().get(1).tryWrite(new byte[] {7}, 0, 1);
        var read = new byte[1];
        assertEquals(1, pipe.reader().tryRead(read));
        assertEquals(7, read[0]);
        found.getFirst().fds().forEach(Fd::close);
      }
      try (Shelf third = SecondShelf.of(shelf)) { // killed while it took over: nothing is lost
        assertEquals(new TreeSet<>(List.of("pipe")), notes(third.look()));
      }
    }
  }

  @Test
  void whatIsReleasedIsClosedAtOnce() throws Exception {
    try (Shelf shelf = Shelf.make(); Pipe pipe = Pipe.open()) {
      Slot slot = shelf.put(note("writer"), List.of(pipe.writer()));
      pipe.writer().close();
      pipe.reader().nonBlocking(true);
      assertEquals(-1, pipe.reader().tryRead(new byte[1]), "the shelf has a writer");
      slot.release();
      slot.release();
      assertEquals(0, pipe.reader().tryRead(new byte[1]), "the end of file");
      try (Shelf other = SecondShelf.of(shelf)) {
        assertEquals(List.of(), other.look());
      }
    }
  }

  /** To close a file here may wait for its file system, and gives up this process's locks on it (fcntl(2)). */
  @Test
  void whatIsReleasedIsNotClosedByThisProcess(@TempDir Path directory) throws Exception {
    Path file = Files.createFile(directory.resolve("f"));
    try (Shelf shelf = Shelf.make(); FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        Fd fd = Fd.open(file.toString(), Fd.O_WRONLY, 0)) {
      channel.lock();
      Slot slot = shelf.put(note("file"), List.of(fd));
      assertTrue(locked(file));
      slot.keep(note("again"), List.of(fd));
      assertTrue(locked(file));
      slot.release();
      assertTrue(locked(file));
    }
  }

  private static boolean locked(Path file) throws IOException {
    String inode = ":" + Files.getAttribute(file, "unix:ino") + " ";
    return Files.readAllLines(Path.of("/proc/locks")).stream().anyMatch(line -> line.contains(inode));
  }

  @Test
  void theLastThatIsKeptCounts() throws Exception {
    try (Shelf shelf = Shelf.make(); Pipe first = Pipe.open(); Pipe second = Pipe.open()) {
      Slot slot = shelf.put(note("both"), List.of(first.writer(), second.writer()));
      slot.keep(note("second"), List.of(second.writer()));
      first.writer().close();
      assertEquals(0, first.reader().tryRead(new byte[1]), "the end of file");
      try (Shelf other = SecondShelf.of(shelf)) {
        List<Found> found = other.look();
        found.getFirst().slot().keep(note("none"), List.of());
        assertEquals(new TreeSet<>(List.of("second")), notes(found));
      }
      try (Shelf other = SecondShelf.of(shelf)) {
        assertEquals(new TreeSet<>(List.of("none")), notes(other.look()));
      }
    }
  }

  @Test
  void aLongChurnLeavesNoMoreThanWhatIsKept() throws Exception {
    try (Shelf shelf = Shelf.make(); Pipe pipe = Pipe.open()) {
      var kept = new TreeSet<String>();
      for (int i = 0; i < 20; i++) {
        shelf.put(note("kept" + i), List.of(pipe.writer()));
        kept.add("kept" + i);
      }
      pass(shelf, pipe);
      assertTrue(shelf.dead() <= Shelf.DEAD_MAX, shelf.dead() + " dead");
      assertFalse(shelf.broken());
      try (Shelf other = SecondShelf.of(shelf)) {
        assertEquals(kept, notes(other.look()));
        pass(other, pipe);
        try (Shelf third = SecondShelf.of(other)) {
          assertEquals(kept, notes(third.look()));
        }
      }
    }
  }

  /** More slots at once than are spare afterwards, again and again. */
  private static void pass(Shelf shelf, Pipe pipe) {
    for (int i = 0; i < 10 * Shelf.DEAD_MAX / Shelf.SPARE_MAX; i++) {
      var passing = new ArrayList<Slot>();
      for (int n = 0; n < 2 * Shelf.SPARE_MAX; n++) {
        passing.add(shelf.put(note("passing" + n), List.of(pipe.writer())));
      }
      passing.forEach(Slot::release);
    }
  }

  @Test
  void aSlotInThePlaceOfOneThatWasReleasedHasOnlyWhatIsNew() throws Exception {
    try (Shelf shelf = Shelf.make(); Pipe first = Pipe.open(); Pipe second = Pipe.open()) {
      Slot before = shelf.put(note("first"), List.of(first.writer()));
      first.writer().close();
      first.reader().nonBlocking(true);
      before.release();
      assertEquals(0, first.reader().tryRead(new byte[1]), "the end of file");
      Slot after = shelf.put(note("second"), List.of(second.writer()));
      before.keep(note("late"), List.of());
      before.release();
      try (Shelf other = SecondShelf.of(shelf)) {
        assertEquals(new TreeSet<>(List.of("second")), notes(other.look()));
      }
      after.release();
      try (Shelf other = SecondShelf.of(shelf)) {
        assertEquals(List.of(), other.look());
      }
      assertEquals(0, shelf.dead());
    }
  }

  /** Slots that are being released while the living ones move to the other queue. */
  @Test
  void manyMayPutAndReleaseAtOnce() throws Exception {
    try (Shelf shelf = Shelf.make(); Pipe pipe = Pipe.open()) {
      shelf.put(note("stays"), List.of(pipe.reader()));
      var work = new ArrayList<CompletableFuture<Void>>();
      for (int i = 0; i < 4; i++) {
        work.add(CompletableFuture.runAsync(() -> {
          for (int n = 0; n < 10; n++) {
            pass(shelf, pipe);
          }
        }));
      }
      for (CompletableFuture<Void> one : work) {
        one.get(60, TimeUnit.SECONDS);
      }
      assertFalse(shelf.broken());
      try (Shelf other = SecondShelf.of(shelf)) {
        assertEquals(new TreeSet<>(List.of("stays")), notes(other.look()));
      }
    }
  }

  @Test
  void aShelfThatIsFullBreaksAndGivesEverythingUp() throws Exception {
    try (Shelf shelf = Shelf.make(); Pipe pipe = Pipe.open()) {
      var told = new ArrayList<String>();
      shelf.onFailure(() -> told.add("broken"));
      Slot slot = shelf.put(note("writer"), List.of(pipe.writer()));
      pipe.writer().close();
      slot.keep(new byte[1 << 20], List.of()); // longer than a message may be
      assertTrue(shelf.broken());
      assertEquals(List.of("broken"), told);
      assertTrue(Shortages.now().containsKey(Shelf.SHORTAGE), "inspect tells");
      assertEquals(0, pipe.reader().tryRead(new byte[1]), "the end of file");
      shelf.put(note("more"), List.of(pipe.reader())).release();
    } finally {
      Shortages.end(Shelf.SHORTAGE);
    }
  }
}
