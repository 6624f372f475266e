package io.loomshim.linux;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PollerTest {
  @Test
  void aThousandVirtualThreadsWaitAtOnceAndEachWakesForItsOwnPipe() throws Exception {
    int count = 1000;
    var pipes = new ArrayList<Pipe>();
    var woken = new CountDownLatch(count);
    var wrong = new AtomicInteger();
    for (int i = 0; i < count; i++) {
      Pipe pipe = Pipe.open();
      pipes.add(pipe);
      pipe.reader().nonBlocking(true);
      byte mark = (byte) i;
      Thread.ofVirtual()
          .start(
              () -> {
                byte[] buffer = new byte[4];
                try {
                  if (pipe.reader().read(buffer) != 1 || buffer[0] != mark) {
                    wrong.incrementAndGet();
                  }
                } catch (Exception e) {
                  wrong.incrementAndGet();
                }
                woken.countDown();
              });
    }
    await().until(() -> Poller.shared().waiting() >= count);
    for (int i = count - 1; i >= 0; i--) {
      assertEquals(1, pipes.get(i).writer().tryWrite(new byte[] {(byte) i}, 0, 1));
    }
    assertTrue(woken.await(20, TimeUnit.SECONDS));
    assertEquals(0, wrong.get());
    for (Pipe pipe : pipes) {
      pipe.close();
    }
  }

  @Test
  void aDeadlinePassesWithoutAnEvent() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      assertFalse(Poller.shared().awaitReadable(pipe.reader(), Deadline.in(Duration.ofMillis(10))));
      // and the descriptor can be waited for again
      pipe.writer().tryWrite(new byte[1], 0, 1);
      assertTrue(Poller.shared().awaitReadable(pipe.reader(), Deadline.in(Duration.ofSeconds(20))));
    }
  }

  @Test
  void anInterruptEndsTheWait() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      var ended = new CountDownLatch(1);
      Thread waiter =
          Thread.ofVirtual()
              .start(
                  () -> {
                    assertThrows(InterruptedException.class, () -> Poller.shared().awaitReadable(pipe.reader()));
                    ended.countDown();
                  });
      await().until(() -> waiter.getState() == Thread.State.WAITING);
      waiter.interrupt();
      assertTrue(ended.await(20, TimeUnit.SECONDS));
    }
  }

  @Test
  void aHangUpWakesTheReader() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      pipe.reader().nonBlocking(true);
      pipe.writer().close();
      assertEquals(0, pipe.reader().read(new byte[8]));
    }
  }

  @Test
  void aClosedDescriptorIsRefused() throws Exception {
    Pipe pipe = Pipe.open();
    pipe.close();
    pipe.close();
    assertThrows(IllegalStateException.class, () -> pipe.reader().read(new byte[1]));
  }
}
