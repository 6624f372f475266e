package io.loomshim.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Bytes of a socket in memory that another process would see, which is here a second mapping of the same file. */
@Timeout(60)
class ReceivedBytesTest {
  @TempDir Path directory;
  private Fd listener;
  private Fd near;
  private Fd far;
  private Fd file;
  private ReceivedBytes bytes;

  @BeforeEach
  void open() throws Exception {
    Path path = directory.resolve("s");
    listener = SocketCalls.open();
    SocketCalls.listen(listener, path);
    far = SocketCalls.open();
    assertEquals(0, SocketCalls.connect(far, path));
    near = new Fd(ErrnoException.check("accept", SocketCalls.acceptWaiting(listener)));
    file = SharedMemory.file(3);
    bytes = new ReceivedBytes(SharedMemory.of(file), 1);
  }

  @AfterEach
  void close() {
    near.close();
    far.close();
    listener.close();
    file.close();
  }

  private void send(String text) throws Exception {
    byte[] data = text.getBytes(StandardCharsets.US_ASCII);
    assertEquals(data.length, StreamSocket.send(far, data, 0, data.length));
  }

  private static String text(ReceivedBytes bytes) {
    var text = new byte[bytes.end() - bytes.start()];
    bytes.get(bytes.start(), text, 0, text.length);
    return new String(text, StandardCharsets.US_ASCII);
  }

  @Test
  void whatIsReceivedIsAddedAndSeenByWhoeverHasTheFile() throws Exception {
    assertEquals(0, bytes.end());
    send("one");
    assertEquals(3, bytes.receive(near, 100, false));
    send("two");
    send("three");
    assertEquals(8, bytes.receive(near, 100, false));
    bytes.start(3);
    bytes.word(2, 77);
    var others = new ReceivedBytes(SharedMemory.of(file), 1);
    assertEquals("twothree", text(others));
    assertEquals(77, others.word(2));
    send("four");
    assertEquals(4, others.receive(near, 100, false));
    assertEquals("twothreefour", text(bytes));
    assertEquals(0, new ReceivedBytes(SharedMemory.of(file), 2).end(), "the next page");
    bytes.clear();
    assertEquals("", text(bytes));
  }

  @Test
  void noMoreIsTakenThanThereIsRoomFor() throws Exception {
    send("onetwo");
    assertEquals(3, bytes.receive(near, 3, false));
    assertEquals("one", text(bytes));
    assertEquals(3, near.held());
    assertThrows(IllegalArgumentException.class, () -> bytes.receive(near, ReceivedBytes.BYTES_MAX, false));
    assertEquals(3, bytes.receive(near, ReceivedBytes.BYTES_MAX - 3, false));
    assertEquals("onetwo", text(bytes));
    assertThrows(IndexOutOfBoundsException.class, () -> bytes.get(ReceivedBytes.BYTES_MAX - 1, new byte[2], 0, 2));
    assertThrows(IndexOutOfBoundsException.class, () -> new ReceivedBytes(SharedMemory.of(file), 3));
  }

  @Test
  void withoutBytesNothingChanges() throws Exception {
    send("one");
    assertEquals(3, bytes.receive(near, 10, false));
    assertEquals(-1, bytes.receive(near, 10, false));
    assertEquals(-1, bytes.receive(near, 10, false));
    assertEquals("one", text(bytes));
    far.close();
    assertEquals(0, bytes.receive(near, 10, false));
    assertEquals("one", text(bytes));
    assertEquals(Errno.EBADF, assertThrows(ErrnoException.class, () -> {
      try (Fd closed = new Fd(1 << 20)) {
        bytes.receive(closed, 10, false);
      }
    }).errno());
  }

  @Test
  void aPlatformThreadWaitsInTheKernelUntilThereIsSomethingOrTheEnd() throws Exception {
    var first = CompletableFuture.supplyAsync(this::receiveHere);
    send("one");
    assertEquals(3, first.get(20, TimeUnit.SECONDS));
    var end = CompletableFuture.supplyAsync(this::receiveHere);
    StreamSocket.shutdown(near);
    assertEquals(0, end.get(20, TimeUnit.SECONDS));
  }

  private int receiveHere() {
    try {
      return bytes.receive(near, 10, true);
    } catch (ErrnoException e) {
      throw new AssertionError(e);
    }
  }
}
