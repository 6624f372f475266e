package io.loomshim.ttrpc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SocketDoorTest {
  /** More than both socket buffers hold. */
  private static final int LARGE_BYTES = 8 << 20;

  @TempDir Path directory;

  private interface Call<R> {
    R run() throws Exception;
  }

  /** What {@code call} returns on {@code thread}, or throws. */
  private static <R> CompletableFuture<R> on(Thread.Builder thread, Call<R> call) {
    var result = new CompletableFuture<R>();
    thread.start(() -> {
      try {
        result.complete(call.run());
      } catch (Throwable e) {
        result.completeExceptionally(e);
      }
    });
    return result;
  }

  private static Thread.Builder[] kinds() {
    return new Thread.Builder[] {Thread.ofVirtual().name("kind"), Thread.ofPlatform().name("kind")};
  }

  private static int read(Line line) throws IOException {
    return line.read(ByteBuffer.allocate(10));
  }

  @Test
  void bothKindsOfThreadsReadWhatComesAndTheEnd() throws Exception {
    Path path = directory.resolve("s");
    try (var door = SocketDoor.listen(path)) {
      for (Thread.Builder kind : kinds()) {
        try (var client = Dial.connect(path, Duration.ZERO); Line line = door.accept()) {
          var first = on(kind, () -> read(line));
          assertEquals(3, client.write(ByteBuffer.wrap(new byte[3])));
          assertEquals(3, first.join());
          var end = on(kind, () -> read(line));
          client.close();
          assertEquals(-1, end.join());
        }
      }
    }
  }

  /** After a read that left its buffer half empty a thread parks at once: what is there already must wake it. */
  @Test
  void whatHasComeBeforeAThreadParksIsRead() throws Exception {
    Path path = directory.resolve("s");
    try (var door = SocketDoor.listen(path)) {
      for (Thread.Builder kind : kinds()) {
        try (var client = Dial.connect(path, Duration.ZERO); Line line = door.accept()) {
          for (int i = 0; i < 100; i++) {
            assertEquals(3, client.write(ByteBuffer.wrap(new byte[3])));
            assertEquals(3, on(kind, () -> read(line)).join());
          }
          assertEquals(14, client.write(ByteBuffer.wrap(new byte[14])));
          assertEquals(10, on(kind, () -> read(line)).join());
          assertEquals(4, on(kind, () -> read(line)).join());
          client.close();
          assertEquals(-1, on(kind, () -> read(line)).join());
        }
      }
    }
  }

  @Test
  void aLargeWriteWaitsForTheReaderOnBothKindsOfThreads() throws Exception {
    Path path = directory.resolve("s");
    try (var door = SocketDoor.listen(path)) {
      for (Thread.Builder kind : kinds()) {
        try (var client = Dial.connect(path, Duration.ZERO); Line line = door.accept()) {
          byte[] sent = new byte[LARGE_BYTES];
          sent[LARGE_BYTES - 1] = 7;
          var write = on(kind, () -> line.write(ByteBuffer.wrap(sent)));
          var into = ByteBuffer.allocate(LARGE_BYTES);
          while (into.hasRemaining()) {
            assertTrue(client.read(into) > 0);
          }
          assertEquals(LARGE_BYTES, write.join());
          assertEquals(7, into.get(LARGE_BYTES - 1));
        }
      }
    }
  }

  @Test
  void aCloseEndsTheReadTheWriteAndTheAcceptOfBothKindsOfThreads() throws Exception {
    Path path = directory.resolve("s");
    for (Thread.Builder kind : kinds()) {
      var door = SocketDoor.listen(path);
      try (var client = Dial.connect(path, Duration.ZERO)) {
        Line line = door.accept();
        var reads = on(kind, () -> read(line));
        var writes = on(kind, () -> line.write(ByteBuffer.wrap(new byte[LARGE_BYTES])));
        var accepts = on(kind, door::accept);
        assertTrue(client.read(ByteBuffer.allocate(1)) > 0); // it writes, and nobody reads on
        line.close();
        door.close();
        assertEquals(-1, reads.join());
        assertThrows(Exception.class, writes::join);
        assertThrows(Exception.class, accepts::join);
        assertFalse(line.isOpen() || door.isOpen());
        assertThrows(ClosedChannelException.class, () -> read(line));
        assertThrows(ClosedChannelException.class, door::accept);
        assertThrows(IOException.class, () -> Dial.connect(path, Duration.ZERO));
      }
    }
  }

  @Test
  void anInterruptOfAThreadThatIsParkedClosesTheStreamAndStaysSet() throws Exception {
    Path path = directory.resolve("s");
    try (var door = SocketDoor.listen(path);
        var client = Dial.connect(path, Duration.ZERO);
        Line line = door.accept()) {
      var threads = new CompletableFuture<Thread>();
      var reads = on(Thread.ofPlatform(), () -> {
        threads.complete(Thread.currentThread());
        assertThrows(ClosedByInterruptException.class, () -> client.read(ByteBuffer.allocate(1)));
        return Thread.currentThread().isInterrupted();
      });
      await().until(() -> threads.join().getState() == Thread.State.WAITING);
      threads.join().interrupt();
      assertTrue(reads.join());
      assertFalse(client.isOpen());
      assertEquals(-1, read(line));
    }
  }

  @Test
  void aPathThatIsTooLongOrNotThereIsRefusedByName() throws Exception {
    Path tooLong = directory.resolve("x".repeat(108));
    var refused = assertThrows(IOException.class, () -> SocketDoor.listen(tooLong));
    assertTrue(refused.getMessage().startsWith("cannot listen on " + tooLong), refused::getMessage);
    assertTrue(refused.getMessage().endsWith(": file name too long"), refused::getMessage);
    var missing = assertThrows(IOException.class, () -> SocketDoor.listen(directory.resolve("no/s")));
    assertTrue(missing.getMessage().endsWith(": no such file or directory"), missing::getMessage);
    var none = assertThrows(IOException.class, () -> Dial.connect(directory.resolve("none"), Duration.ZERO));
    assertEquals("connect " + directory.resolve("none") + ": no such file or directory", none.getMessage());
  }

  @Test
  void aDoorTakesThePlaceOfAnEarlierOne() throws Exception {
    Path path = directory.resolve("s");
    try (var first = SocketDoor.listen(path)) {
      assertTrue(first.isOpen());
      try (var second = SocketDoor.listen(path);
          var client = Dial.connect(path, Duration.ZERO);
          Line line = second.accept()) {
        assertEquals(1, line.number());
        assertTrue(client.isOpen());
      }
    }
    assertTrue(Files.exists(path));
  }
}
