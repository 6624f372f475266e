package io.loomshim.linux;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PolledSocketTest {
  @TempDir Path directory;
  private Fd listener;
  private PolledSocket near;
  private Fd far;

  private interface Wait {
    void run() throws Exception;
  }

  @BeforeEach
  void open() throws Exception {
    Path path = directory.resolve("s");
    listener = SocketCalls.open();
    SocketCalls.listen(listener, path);
    far = SocketCalls.open();
    assertEquals(0, SocketCalls.connect(far, path));
    near = new PolledSocket(new Fd(ErrnoException.check("accept", SocketCalls.accept(listener))));
  }

  @AfterEach
  void close() {
    near.close();
    far.close();
    listener.close();
  }

  private static void swallow(Wait wait) {
    try {
      wait.run();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static Thread start(Wait wait) {
    return Thread.ofVirtual().start(() -> swallow(wait));
  }

  private void awaitParked(Thread thread) {
    await().until(() -> thread.getState() == Thread.State.WAITING);
  }

  /** Until the kernel takes no more. */
  private void fill(Fd fd) throws Exception {
    byte[] piece = new byte[64 << 10];
    int sent = 0;
    while (sent >= 0) {
      sent = StreamSocket.send(fd, piece, 0, piece.length);
    }
  }

  @Test
  void aReaderAndAWriterWaitAtOnceAndEachIsWokenForItsOwn() throws Exception {
    Fd fd = near.enter();
    fill(fd);
    Thread writer = start(near::awaitWritable);
    awaitParked(writer);
    Thread reader = start(near::awaitReadable);
    awaitParked(reader);
    assertEquals(1, StreamSocket.send(far, new byte[1], 0, 1));
    reader.join();
    assertEquals(Thread.State.WAITING, writer.getState());
    byte[] into = new byte[64 << 10];
    int got = 1;
    while (got > 0) {
      got = StreamSocket.receive(far, into, 0, into.length);
    }
    writer.join();
    near.leave();
  }

  @Test
  void aCloseWakesBothAndTheNumberIsGivenBackByTheLastUser() throws Exception {
    Fd fd = near.enter();
    near.enter();
    fill(fd);
    Thread writer = start(near::awaitWritable);
    Thread reader = start(near::awaitReadable);
    awaitParked(writer);
    awaitParked(reader);
    near.close();
    near.close();
    writer.join();
    reader.join();
    assertFalse(near.isOpen());
    assertThrows(ClosedChannelException.class, near::enter);
    assertFalse(fd.closed());
    near.leave();
    assertFalse(fd.closed());
    near.leave();
    assertTrue(fd.closed());
  }

  @Test
  void aWaitAfterTheCloseReturnsAtOnce() throws Exception {
    near.enter();
    near.close();
    near.awaitReadable();
    near.awaitWritable();
    near.leave();
  }

  @Test
  void aWaitThatWasInterruptedLeavesNothingBehind() throws Exception {
    near.enter();
    var ended = new CountDownLatch(1);
    Thread first = start(() -> {
      assertThrows(InterruptedException.class, near::awaitReadable);
      ended.countDown();
    });
    awaitParked(first);
    first.interrupt();
    ended.await();
    Thread second = start(near::awaitReadable);
    awaitParked(second);
    assertEquals(1, StreamSocket.send(far, new byte[1], 0, 1));
    second.join();
    near.leave();
  }

  /** Each byte is answered while the same thread's other direction is waited for now and then: none is lost. */
  @Test
  void noWakeIsLostWhereReadersAndWritersComeAndGo() throws Exception {
    int rounds = 2000;
    var peer = new PolledSocket(far.duplicate());
    var received = new AtomicInteger();
    var threads = new ArrayList<Thread>();
    for (PolledSocket side : new PolledSocket[] {near, peer}) {
      Fd fd = side.enter();
      threads.add(start(() -> {
        byte[] piece = new byte[8 << 10];
        for (int left = rounds * piece.length; left > 0;) {
          int sent = StreamSocket.send(fd, piece, 0, Math.min(left, piece.length));
          if (sent < 0) {
            side.awaitWritable();
          } else {
            left -= sent;
          }
        }
      }));
      threads.add(start(() -> {
        byte[] piece = new byte[3 << 10];
        for (int left = rounds * (8 << 10); left > 0;) {
          int count = StreamSocket.receive(fd, piece, 0, piece.length);
          if (count < 0) {
            side.awaitReadable();
          } else {
            left -= count;
            received.addAndGet(count);
          }
        }
      }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(2 * rounds * (8 << 10), received.get());
    near.leave();
    peer.close();
    peer.leave();
  }
}
