package io.loomshim.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.loomshim.linux.MountCalls;
import io.loomshim.metrics.Shortages;
import io.loomshim.proto.record.DaemonEntry;
import io.loomshim.testing.Seeded;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file itself, with real writes; and every way in which its end, or any of its bytes, can be wrong. */
class RecordTest {
  private static final DaemonEntry DAEMON = DaemonEntry.newBuilder().setPid(7).setNamespace("ns").build();
  private static final int FREE = Kinds.OTHERS_FREE;
  private static final int PAGE_BYTES = 4096;

  @TempDir Path directory;

  private Path file() {
    return directory.resolve(RecordFile.NAME);
  }

  private static Change put(int kind, String key, String value) {
    return Change.put(kind, key, ByteString.copyFromUtf8(value));
  }

  private static Map<String, String> texts(Map<String, ByteString> values) {
    var texts = new LinkedHashMap<String, String>();
    values.forEach((key, value) -> texts.put(key, value.toStringUtf8()));
    return texts;
  }

  @Test
  void whatIsWrittenIsReadBackWithTheLastValueOfEachKey() throws Exception {
    try (var record = Record.begin(directory, DAEMON)) {
      record.write(put(Kinds.CONTAINER, "web", "a"), put(Kinds.INIT, "web", "created"));
      record.write(put(Kinds.INIT, "web", "running"));
      record.write(put(FREE, "ä/key", ""), put(FREE, "b", "x"));
      record.write(Change.remove(FREE, "b"), Change.remove(FREE, "never there"));
      RecordFile.Content content = RecordFile.read(file());
      assertEquals(5, content.entries());
      assertEquals(0, content.torn());
      assertEquals(Map.of("web", "running"), texts(content.state().all(Kinds.INIT)));
      assertEquals(Map.of("ä/key", ""), texts(content.state().all(FREE)));
      assertEquals(List.of(Kinds.CONTAINER, Kinds.INIT, Kinds.DAEMON, FREE), content.state().kinds());
      assertEquals(DAEMON, DaemonEntry.parseFrom(content.state().get(Kinds.DAEMON, "").orElseThrow()));
    }
    assertFalse(Files.exists(file()), "a daemon that ends in order leaves no record");
  }

  @Test
  void aContainerGoesWithAllThatBelongsToItAndWithNothingOfItsNeighbours() throws Exception {
    try (var record = Record.begin(directory, DAEMON)) {
      for (String id : List.of("web", "web-1", "web0", "we")) {
        record.write(put(Kinds.CONTAINER, id, id), put(Kinds.EXEC, id + "/probe", "e"),
            put(Kinds.CONTAINERS_FREE, id + "/probe/stdin", "d"), put(Kinds.CONTAINERS_FREE, id, "own"));
      }
      record.write(put(FREE, "web", "not a container's"));
      record.write(Change.forget("web-1/probe"));
      record.write(Change.forget("web"));
      record.write(put(Kinds.INIT, "web", "of a container that has gone"));
      State state = RecordFile.read(file()).state();
      assertEquals(List.of("we", "web-1", "web0"), List.copyOf(state.all(Kinds.CONTAINER).keySet()));
      assertEquals(List.of("we/probe", "web0/probe"), List.copyOf(state.all(Kinds.EXEC).keySet()));
      assertEquals(Map.of("web-1", "own"), texts(state.of("web-1", Kinds.CONTAINERS_FREE)));
      assertEquals(Map.of("web0", "own", "web0/probe/stdin", "d"), texts(state.of("web0", Kinds.CONTAINERS_FREE)));
      assertEquals(Map.of(), state.all(Kinds.INIT));
      assertTrue(state.get(FREE, "web").isPresent());
    }
  }

  @Test
  void onlyTheLastAnswersOfDeleteAreKept() throws Exception {
    try (var record = Record.begin(directory, DAEMON)) {
      for (int i = 0; i < State.DELETED_MAX + 10; i++) {
        record.write(put(Kinds.DELETED, "c" + i, "x"));
      }
      var kept = List.copyOf(RecordFile.read(file()).state().all(Kinds.DELETED).keySet());
      assertEquals(State.DELETED_MAX, kept.size());
      assertEquals("c10", kept.getFirst());
    }
  }

  /** The bytes of a record, and where each of its entries ends. */
  private byte[] sample(List<Integer> ends) throws IOException {
    try (var record = Record.begin(directory, DAEMON)) {
      ends.add((int) Files.size(file()));
      for (int i = 0; i < 5; i++) {
        record.write(put(Kinds.CONTAINER, "c" + i, "x".repeat(i)), put(Kinds.INIT, "c" + i, "running"));
        ends.add((int) Files.size(file()));
      }
      return Files.readAllBytes(file());
    }
  }

  private static RecordFile.Content read(String name, byte[] bytes, int length) throws IOException {
    return RecordFile.read(name, new ByteArrayInputStream(bytes, 0, length));
  }

  @Test
  void anEntryThatWasCutOffAtAnyByteIsLeftOutWhole() throws Exception {
    var ends = new ArrayList<Integer>();
    byte[] whole = sample(ends);
    for (int length = Format.HEADER_BYTES; length <= whole.length; length++) {
      int cut = length;
      int entries = (int) ends.stream().filter(end -> end <= cut).count();
      RecordFile.Content content = read("record", whole, length);
      assertEquals(entries, content.entries(), "after " + length + " bytes");
      assertEquals(Math.max(0, entries - 1), content.state().all(Kinds.INIT).size());
      assertEquals(length - (entries == 0 ? Format.HEADER_BYTES : ends.get(entries - 1)), content.torn());
    }
    for (int length = 0; length < Format.HEADER_BYTES; length++) {
      int cut = length;
      assertThrows(UnreadableException.class, () -> read("record", whole, cut));
    }
  }

  @Test
  void anyByteThatIsWrongMakesTheRecordUnreadable() throws Exception {
    var ends = new ArrayList<Integer>();
    byte[] whole = sample(ends);
    for (int at = 0; at < whole.length; at++) {
      for (int bit = 0; bit < 8; bit++) {
        byte[] damaged = whole.clone();
        damaged[at] ^= (byte) (1 << bit);
        var e = assertThrows(UnreadableException.class, () -> read("/run/record", damaged, damaged.length));
        assertTrue(e.getMessage().startsWith("/run/record "), e.getMessage());
      }
    }
    byte[] third = whole.clone();
    third[ends.get(1) + Format.HEAD_BYTES] ^= 1;
    var e = assertThrows(UnreadableException.class, () -> read("/run/record", third, third.length));
    assertEquals("/run/record is damaged at byte " + ends.get(1) + ", in its entry 3", e.getMessage());
  }

  @Test
  void anotherVersionIsRefusedInASentence() throws Exception {
    var header = ByteBuffer.wrap(Format.header());
    header.putInt(8, 2).putInt(12, Format.checksum(header.array(), 0, 12));
    var e = assertThrows(UnreadableException.class, () -> read("r", header.array(), Format.HEADER_BYTES));
    assertEquals("r has version 2, and this build reads version 1", e.getMessage());
    Files.writeString(file(), "PID 1 is somebody else\n");
    assertEquals(file() + " is not a record: it begins otherwise",
        assertThrows(UnreadableException.class, () -> RecordFile.read(file())).getMessage());
  }

  /** A longer life than any file: what is dead is dropped, and what is read never changes by that. */
  @Test
  void aFileThatHasGrownIsCompactedAndSaysTheSame() throws Exception {
    Random random = Seeded.random("aFileThatHasGrownIsCompactedAndSaysTheSame");
    var expected = new State();
    int compactions = 0;
    long before = 0;
    try (var record = Record.begin(directory, DAEMON)) {
      expected.apply(List.of(Change.put(Kinds.DAEMON, "", DAEMON)));
      for (int i = 0; i < 20_000; i++) {
        Change[] entry = randomEntry(random, i);
        record.write(entry);
        expected.apply(Arrays.asList(entry));
        long size = Files.size(file());
        compactions += size < before ? 1 : 0;
        before = size;
        if (i % 1000 == 0) {
          assertEquals(expected, RecordFile.read(file()).state(), "entry " + i);
        }
      }
      assertEquals(expected, RecordFile.read(file()).state());
      assertTrue(record.complete());
    }
    assertTrue(compactions > 3, compactions + " compactions");
    int live = MemoryRecord.content(expected).length;
    assertTrue(before < 4 * live + 2 * Record.COMPACT_BYTES_MIN, before + " bytes, " + live + " of them live");
  }

  private static Change[] randomEntry(Random random, int number) {
    String id = "c" + random.nextInt(20);
    return switch (random.nextInt(6)) {
      case 0 -> new Change[] {put(Kinds.CONTAINER, id, "x".repeat(random.nextInt(900)))};
      case 1 -> new Change[] {put(Kinds.INIT, id, "s" + number), put(Kinds.EVENT, Change.number(number), "event")};
      case 2 -> new Change[] {put(Kinds.EXEC, id + "/e" + random.nextInt(3), "exec")};
      case 3 -> new Change[] {Change.forget(id), put(Kinds.DELETED, id, "answer")};
      case 4 -> new Change[] {Change.remove(Kinds.EVENT, Change.number(number - random.nextInt(9)))};
      default -> new Change[] {Change.forget(id + "/e0"), put(FREE + 1, "call", "in flight" + number)};
    };
  }

  @Test
  void theNextDaemonGoesOnWithWhatItHasReadAndWithoutTheTornRest() throws Exception {
    Record killed = Record.begin(directory, DAEMON);
    killed.write(put(Kinds.CONTAINER, "web", "x"));
    killed.leave();
    killed.write(put(Kinds.CONTAINER, "late", "x"));
    Files.write(file(), new byte[] {0, 0, 0}, StandardOpenOption.APPEND);
    Files.writeString(directory.resolve("record.draft"), "of a daemon that was killed in a compaction");
    RecordFile.Content content = RecordFile.read(file());
    assertEquals(3, content.torn());
    DaemonEntry next = DAEMON.toBuilder().setPid(8).build();
    try (var record = Record.resume(directory, content, next)) {
      record.write(put(Kinds.INIT, "web", "running"));
      RecordFile.Content again = RecordFile.read(file());
      assertEquals(0, again.torn());
      assertEquals(Map.of("web", "running"), texts(again.state().all(Kinds.INIT)));
      assertEquals(next.toByteString(), again.state().get(Kinds.DAEMON, "").orElseThrow());
      assertFalse(Files.exists(directory.resolve("record.draft")));
    }
  }

  @Test
  void whereThereIsNoRoomTheNextDaemonGoesOnWithWhatStands() throws Exception {
    MountCalls.mount("tmpfs", directory.toString(), "tmpfs", 0, "size=128k");
    try {
      var killed = Record.begin(directory, DAEMON);
      killed.write(put(Kinds.CONTAINER, "web", "x"));
      int without = Format.entry(put(FREE, "k", "")).length;
      int left = PAGE_BYTES - 1 - without - (int) Files.size(file());
      killed.write(put(FREE, "k", "y".repeat(left)));
      killed.leave();
      Path filler = directory.resolve("filler");
      fill(filler);
      RecordFile.Content content = RecordFile.read(file());
      try (var record = Record.resume(directory, content, DAEMON.toBuilder().setPid(8).build())) {
        RecordFile.Content again = RecordFile.read(file());
        assertEquals(0, again.torn());
        assertEquals(content.state(), again.state());
        assertTrue(record.complete());
        Files.delete(filler);
        record.write(put(Kinds.INIT, "web", "running"));
        assertEquals(Map.of("web", "running"), texts(RecordFile.read(file()).state().all(Kinds.INIT)));
      }
    } finally {
      MountCalls.unmount(directory.toString());
    }
  }

  @Test
  void theRecordOfAKilledDaemonIsKeptBesideTheNext() throws Exception {
    Record killed = Record.begin(directory, DAEMON);
    killed.write(put(Kinds.CONTAINER, "web", "x"));
    killed.leave();
    try (var next = Record.begin(directory, DAEMON)) {
      assertTrue(next.complete());
      assertEquals(Map.of(), RecordFile.read(file()).state().all(Kinds.CONTAINER));
      Path before = directory.resolve(RecordFile.BEFORE);
      assertEquals(1, RecordFile.read(before).state().all(Kinds.CONTAINER).size());
    }
  }

  /** One daemon ends, with its last events to be delivered, while another has begun in the same directory. */
  @Test
  void aDaemonThatEndsLeavesTheRecordOfTheNextAlone() throws Exception {
    Record ending = Record.begin(directory, DAEMON);
    try (var next = Record.begin(directory, DAEMON)) {
      next.write(put(Kinds.CONTAINER, "web", "x"));
      for (int i = 0; i < 3000; i++) {
        ending.write(put(FREE, "k", "y".repeat(100)));
      }
      ending.close();
      assertEquals(1, RecordFile.read(file()).state().all(Kinds.CONTAINER).size());
      assertFalse(Files.exists(directory.resolve(RecordFile.BEFORE)), "it ended in order");
    }
  }

  @Test
  void manyThreadsWriteEachInItsOwnOrder() throws Exception {
    try (var record = Record.begin(directory, DAEMON)) {
      var threads = new ArrayList<Thread>();
      for (int i = 0; i < 8; i++) {
        String key = "t" + i;
        threads.add(Thread.ofVirtual().start(() -> {
          for (int n = 0; n <= 500; n++) {
            record.write(put(FREE, key, Integer.toString(n)));
            Thread.currentThread().interrupt(); // which a write does not care about
          }
        }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      Map<String, String> last = texts(RecordFile.read(file()).state().all(FREE));
      assertEquals(8, last.size());
      last.forEach((key, value) -> assertEquals("500", value, key));
    }
  }

  /** A tmpfs that is full for a while, and one that stays full. */
  @Test
  void aFullFileSystemDelaysTheRecordAndThenEndsItAndFailsNothing() throws Exception {
    MountCalls.mount("tmpfs", directory.toString(), "tmpfs", 0, "size=128k");
    try {
      Path filler = directory.resolve("filler");
      var record = Record.begin(directory, DAEMON);
      record.write(put(Kinds.CONTAINER, "web", "x"));
      fill(filler);
      for (int i = 0; i < 200; i++) {
        record.write(put(FREE, "k" + i, "y".repeat(100)));
      }
      assertFalse(record.complete());
      assertFalse(Files.exists(file()), "an incomplete record has another name");
      assertTrue(RecordFile.read(directory.resolve(RecordFile.BEHIND)).state().all(FREE).size() < 200);
      Files.delete(filler);
      record.write(put(FREE, "last", ""));
      assertTrue(record.complete());
      assertEquals(201, RecordFile.read(file()).state().all(FREE).size());
      fill(filler);
      for (int i = 0; i < 20; i++) {
        record.write(put(FREE, "k" + i, "z".repeat(Record.WAITING_BYTES_MAX / 10)));
      }
      assertFalse(record.complete());
      Files.delete(filler);
      record.write(put(FREE, "later", ""));
      try (var left = Files.list(directory)) {
        assertEquals(List.of(), left.toList(), "a record that was given up is gone");
      }
      record.close();
    } finally {
      MountCalls.unmount(directory.toString());
      Shortages.end("record of containers");
    }
  }

  private static void fill(Path filler) throws IOException {
    try (var out = Files.newOutputStream(filler)) {
      var page = new byte[PAGE_BYTES];
      while (true) {
        out.write(page);
      }
    } catch (IOException e) {
      assertEquals("No space left on device", e.getMessage());
    }
  }
}
