package io.loomshim.takeover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Pipe;
import io.loomshim.record.Kinds;
import io.loomshim.record.MemoryRecord;
import io.loomshim.shelf.SecondShelf;
import io.loomshim.shelf.Shelf;
import io.loomshim.ttrpc.Line;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EstateTest {
  private static final Path MAIN = Path.of("src/main/java/io/loomshim");

  /** A constant that is made of the beginning of the kinds of other rooms, directly or by way of another one. */
  private static final Pattern FREE =
      Pattern.compile("static final int (\\w+) = Kinds\\.(CONTAINERS|OTHERS)_FREE( \\+ \\d+)?;");

  @Test
  void everyKindOfTheRecordIsKnown() throws Exception {
    var known = new TreeSet<Integer>();
    for (var field : Kinds.class.getFields()) {
      boolean bound = field.getName().endsWith("_FREE") || field.getName().endsWith("END");
      if (field.getType() == int.class && Modifier.isStatic(field.getModifiers()) && !bound) {
        assertTrue(Estate.knows(field.getInt(null)), field.getName());
        known.add(field.getInt(null));
      }
    }
    assertEquals(new TreeSet<>(Kinds.OWN), known);
    assertTrue(Estate.knows(CallsRecord.CALL) && Estate.knows(CallsRecord.REPLY));
  }

  @Test
  void whatNoBuildHasIsUnknown() {
    for (int kind : List.of(0, Kinds.CONTAINERS_FREE + 50, Kinds.CONTAINERS_END - 1, Kinds.OTHERS_FREE + 50,
        Kinds.END - 1)) {
      assertFalse(Estate.knows(kind), "kind " + kind);
    }
  }

  /** The number of a connection that has ended may be given again: what was asked on it is not the other one's. */
  @Test
  void callsOfConnectionsThatAreNoMoreAreForgotten(@TempDir Path directory) throws Exception {
    var journal = new MemoryRecord();
    try (Shelf shelf = Shelf.make(); Pipe pipe = Pipe.open()) {
      Estate before = Estate.begin(shelf, directory.resolve("s"), journal);
      shelf.put(KeptLine.note(5), List.of(pipe.reader()));
      shelf.put(Labels.of(Labels.LINE, "9", "torn"), List.of(pipe.writer()));
      var calls = new CallsRecord(journal);
      for (long connection : new long[] {5, 9, 77}) {
        calls.begun(connection, 1, ByteBuffer.wrap(new byte[] {1}));
        calls.replying(connection, 1, new byte[] {2});
      }
      calls.replying(78, 1, new byte[] {2});
      try (Shelf second = SecondShelf.of(shelf)) {
        Estate after = Estate.of(second, second.look(), journal.state(), journal);
        assertEquals(List.of(5L), after.lines().stream().map(Line::number).toList());
        assertEquals(1, after.lines().getFirst().pending().size());
        assertEquals(Set.of("5/1"), journal.state().all(CallsRecord.CALL).keySet());
        assertEquals(Set.of("5/1"), journal.state().all(CallsRecord.REPLY).keySet());
        after.lines().getFirst().close();
        after.door().close();
      }
      before.door().close();
    }
  }

  /** A room that begins to write kinds of its own must be known here, or no daemon would hand over any more. */
  @Test
  void noOtherRoomHasKindsThatAreNotKnown() throws Exception {
    var found = new ArrayList<String>();
    try (Stream<Path> files = Files.walk(MAIN)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        free(file, found);
      }
    }
    assertEquals(List.of("CallsRecord.java: CALL"), found);
  }

  private static void free(Path file, List<String> found) throws IOException {
    var matcher = FREE.matcher(Files.readString(file));
    while (matcher.find()) {
      found.add(file.getFileName() + ": " + matcher.group(1));
    }
  }
}
