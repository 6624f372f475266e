package io.loomshim.takeover;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.loomshim.linux.Fd;
import io.loomshim.linux.SocketCalls;
import io.loomshim.linux.StreamSocket;
import io.loomshim.proto.record.DaemonEntry;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.record.Journal;
import io.loomshim.record.Record;
import io.loomshim.record.RecordFile;
import io.loomshim.shelf.Found;
import io.loomshim.shelf.SecondShelf;
import io.loomshim.shelf.Shelf;
import io.loomshim.ttrpc.Frame;
import io.loomshim.ttrpc.Line;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the next daemon finds of a request, at each step of it. The daemon before is not killed here but left as it is,
 * so the next one has descriptors, pages and the record as a kill at that moment leaves them.
 */
@Timeout(60)
class KeptRequestsTest {
  private static final byte[] REPLY = {1, 2, 3};
  private static final long ID = 1;
  private static final long NEXT_ID = 3;

  @TempDir Path directory;
  private final List<AutoCloseable> opened = new ArrayList<>();
  private Shelf shelf;
  private Record record;
  private Fd client;
  private Line line;

  @BeforeEach
  void connect() throws Exception {
    shelf = Shelf.make();
    record = Record.begin(directory, DaemonEntry.getDefaultInstance());
    Path path = directory.resolve("s");
    Estate estate = Estate.begin(shelf, path, record);
    client = SocketCalls.open();
    assertEquals(0, SocketCalls.connect(client, path));
    line = estate.door().accept();
    opened.addAll(List.of(line, estate.door(), client, record, shelf));
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable one : opened) {
      one.close();
    }
  }

  private static byte[] frame(long id, int size) {
    byte[] data = Request.newBuilder().setService("s").setMethod("m").setPayload(ByteString.copyFrom(new byte[size]))
        .build().toByteArray();
    return ByteBuffer.allocate(Frame.HEADER_BYTES + data.length).putInt(data.length).putInt((int) id)
        .put(Frame.REQUEST).put((byte) 0).put(data).array();
  }

  private static byte[] data(byte[] frame) {
    return Arrays.copyOfRange(frame, Frame.HEADER_BYTES, frame.length);
  }

  private CompletableFuture<Void> send(byte[] frame) {
    return CompletableFuture.runAsync(() -> {
      try {
        for (int at = 0; at < frame.length; ) {
          at += Math.max(0, StreamSocket.send(client, frame, at, frame.length - at));
        }
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    });
  }

  private static byte[] read(Line line, int length) throws Exception {
    var frame = ByteBuffer.allocate(length);
    while (frame.hasRemaining()) {
      assertTrue(line.read(frame) > 0);
    }
    return frame.array();
  }

  /** The line as a daemon has it that takes over now. */
  private Line next() throws Exception {
    Shelf other = SecondShelf.of(shelf);
    Estate estate = Estate.of(other, other.look(), RecordFile.read(directory.resolve(RecordFile.NAME)).state(),
        Journal.NONE);
    opened.addAll(List.of(estate.lines().getFirst(), estate.door(), other));
    return estate.lines().getFirst();
  }

  /** How many bytes of the connection are in a page, as the next daemon sees them. */
  private int inPage() throws Exception {
    try (Shelf other = SecondShelf.of(shelf)) {
      List<Found> found = other.look();
      List<CallPage> left = CallPages.of(other, found).left(line.number());
      found.forEach(thing -> thing.fds().forEach(Fd::close));
      return left.isEmpty() ? 0 : left.getFirst().count();
    }
  }

  private static void assertPending(Line line, byte[] frame, byte[] reply) {
    assertEquals(1, line.pending().size());
    assertEquals(ID, line.pending().getFirst().id());
    assertArrayEquals(data(frame), line.pending().getFirst().request());
    assertArrayEquals(reply, line.pending().getFirst().reply());
  }

  /** In a page; about as much as a page holds; longer than that, and than the buffer of a socket. */
  @ParameterizedTest
  @ValueSource(ints = {0, 300, 3000, 3840, 3850, 3860, 3870, 3880, 9000, 300_000})
  void aRequestIsReadAgainUntilItHasBegunAndGoneOnWithAfterThat(int size) throws Exception {
    byte[] frame = frame(ID, size);
    byte[] behind = frame(NEXT_ID, 10);
    CompletableFuture<Void> sent = send(frame);
    assertArrayEquals(frame, read(line, frame.length));
    sent.get(20, TimeUnit.SECONDS);
    assertTrue(line.keeps());
    Line again = next();
    assertTrue(again.asks());
    assertEquals(List.of(), again.pending());
    assertArrayEquals(frame, read(again, frame.length));

    line.begun(ID, false);
    assertFalse(line.keeps());
    assertPending(next(), frame, new byte[0]);
    line.replying(ID, REPLY);
    assertPending(next(), frame, REPLY);
    line.answered(ID);
    assertEquals(List.of(), next().pending());
    send(behind).get(20, TimeUnit.SECONDS);
    assertArrayEquals(behind, read(next(), behind.length));
  }

  /** A request whose call has begun. */
  private byte[] begun(boolean endless) throws Exception {
    byte[] frame = frame(ID, 100);
    send(frame).get(20, TimeUnit.SECONDS);
    read(line, frame.length);
    line.begun(ID, endless);
    return frame;
  }

  @Test
  void aCallThatWaitsWithoutALimitHasNoPage() throws Exception {
    byte[] frame = begun(true);
    assertTrue(RecordFile.read(directory.resolve(RecordFile.NAME)).state().kinds().contains(CallsRecord.CALL));
    assertPending(next(), frame, new byte[0]);
    line.answered(ID);
    assertEquals(List.of(), next().pending());
  }

  @Test
  void aReplyThatIsLongerThanThePageIsRecorded() throws Exception {
    byte[] frame = frame(ID, 1000);
    send(frame).get(20, TimeUnit.SECONDS);
    read(line, frame.length);
    line.begun(ID, false);
    byte[] reply = new byte[4000];
    line.replying(ID, reply);
    assertPending(next(), frame, reply);
    line.answered(ID);
    assertEquals(List.of(), next().pending());
    assertFalse(RecordFile.read(directory.resolve(RecordFile.NAME)).state().kinds().contains(CallsRecord.CALL));
  }

  @Test
  void requestsThatComeTogetherAreReadOneByOne() throws Exception {
    byte[] frame = frame(ID, 1500);
    byte[] second = frame(NEXT_ID, 1500);
    byte[] third = frame(NEXT_ID + 2, 1500); // half of it is in the first page
    var all = ByteBuffer.allocate(3 * frame.length).put(frame).put(second).put(third);
    send(all.array()).get(20, TimeUnit.SECONDS);
    assertArrayEquals(frame, read(line, frame.length));
    assertArrayEquals(frame, read(next(), frame.length));
    line.begun(ID, false); // in the record, as the page has others too
    Line next = next();
    assertPending(next, frame, new byte[0]);
    assertArrayEquals(second, read(next, second.length));
    line.answered(ID);
    assertArrayEquals(second, read(line, second.length));
    assertArrayEquals(second, read(next(), second.length));
    assertArrayEquals(third, read(line, third.length));
    next = next();
    assertEquals(List.of(), next.pending());
    assertArrayEquals(third, read(next, third.length));
  }

  /** Whoever looks while a request is there in part finds that part, and what is sent later completes it. */
  @ParameterizedTest
  @ValueSource(ints = {1, 9, 10, 11, 200})
  void aPartOfARequestIsKept(int part) throws Exception {
    byte[] frame = frame(ID, 300);
    var whole = new CompletableFuture<byte[]>();
    Thread reader = Thread.ofVirtual().start(() -> {
      try {
        whole.complete(read(line, frame.length));
      } catch (Exception e) {
        whole.completeExceptionally(e);
      }
    });
    await().until(() -> reader.getState() == Thread.State.WAITING);
    send(Arrays.copyOf(frame, part)).get(20, TimeUnit.SECONDS);
    await().until(() -> inPage() == part);
    send(Arrays.copyOfRange(frame, part, frame.length)).get(20, TimeUnit.SECONDS);
    assertArrayEquals(frame, whole.get(20, TimeUnit.SECONDS));
    assertArrayEquals(frame, read(next(), frame.length));
  }

  @Test
  void aConnectionThatIsClosedLeavesNothing() throws Exception {
    byte[] frame = begun(false);
    send(frame(NEXT_ID, 100)).get(20, TimeUnit.SECONDS);
    read(line, frame.length);
    line.close();
    line.begun(NEXT_ID, false);
    line.replying(ID, REPLY);
    line.answered(ID);
    assertEquals(0, inPage());
    Shelf other = SecondShelf.of(shelf);
    Estate estate = Estate.of(other, other.look(), RecordFile.read(directory.resolve(RecordFile.NAME)).state(),
        Journal.NONE);
    opened.addAll(List.of(estate.door(), other));
    assertEquals(List.of(), estate.lines());
  }
}
