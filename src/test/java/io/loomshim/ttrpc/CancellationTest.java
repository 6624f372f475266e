package io.loomshim.ttrpc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Empty;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.testing.Seeded;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How a call in the server is interrupted: by its deadline and by the end of its connection. */
@Timeout(60)
class CancellationTest extends OnStand {
  private static final long MILLISECOND = 1_000_000;

  private static Request.Builder hold() {
    return Peer.request(Stand.SERVICE, "Hold", Stand.text("x"));
  }

  private static Request.Builder nothing() {
    return Peer.request(Stand.SERVICE, "Nothing", Empty.getDefaultInstance());
  }

  private static Request.Builder fail() {
    return Peer.request(Stand.SERVICE, "Fail", Empty.getDefaultInstance());
  }

  @Test
  void theCallsOfALostConnectionAreInterruptedAndNoOthers() throws Exception {
    try (Peer other = stand.peer()) {
      other.send(1, hold());
      peer.send(1, hold());
      peer.send(3, hold());
      await().until(() -> stand.server.inFlight().size() == 3);
      peer.close();
      Call first = stand.interrupted.take();
      Call second = stand.interrupted.take();
      assertEquals(first.connection(), second.connection());
      await().until(() -> stand.server.inFlight().size() == 1);
      assertNull(stand.interrupted.poll());
      stand.release.countDown();
      assertFalse(other.receive().response().hasStatus());
    }
  }

  @Test
  void anEndOfInputAloneIsTheEndOfTheConnection() throws Exception {
    peer.send(1, hold());
    await().until(() -> stand.server.inFlight().size() == 1);
    peer.endOutput();
    stand.interrupted.take();
    assertTrue(peer.ended());
  }

  @Test
  void aCallIsInterruptedAtItsDeadlineAndAnsweredOnce() throws Exception {
    peer.send(1, hold().setTimeoutNano(50 * MILLISECOND));
    assertEquals("4 context deadline exceeded", peer.receive().status());
    stand.interrupted.take();
    peer.send(3, nothing());
    Peer.Reply next = peer.receive();
    assertEquals(3, next.id());
    assertEquals(0, next.data().length);
  }

  @Test
  void anEarlierDeadlineIsNotDelayedByALaterOne() throws Exception {
    peer.send(1, hold().setTimeoutNano(3_600_000 * MILLISECOND));
    await().until(() -> stand.server.deadlines().pending() == 1);
    peer.send(3, hold().setTimeoutNano(500 * MILLISECOND));
    peer.send(5, hold().setTimeoutNano(20 * MILLISECOND));
    assertEquals(5, peer.receive().id());
    assertEquals(3, peer.receive().id());
    assertEquals(1, stand.server.deadlines().pending());
  }

  @Test
  void aDeadlineThatHasPassedInterruptsAtOnceButACallThatDoesNotWaitSucceeds() throws Exception {
    peer.send(1, hold().setTimeoutNano(-5));
    assertEquals("4 context deadline exceeded", peer.receive().status());
    peer.send(3, nothing().setTimeoutNano(Long.MIN_VALUE));
    assertEquals(0, peer.receive().data().length);
  }

  @Test
  void theLongestTimeoutIsNoProblem() throws Exception {
    peer.send(1, nothing().setTimeoutNano(Long.MAX_VALUE));
    assertEquals(0, peer.receive().data().length);
    await().until(() -> stand.server.deadlines().pending() == 0);
  }

  @Test
  void aResultThatComesInSpiteOfTheDeadlineIsTheAnswer() throws Exception {
    stand.failure = () -> {
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt(); // must not close the connection when the reply is written
      }
    };
    peer.send(1, fail().setTimeoutNano(20 * MILLISECOND));
    assertEquals(0, peer.receive().data().length);
    peer.send(3, nothing());
    assertEquals(3, peer.receive().id());
  }

  @Test
  void anInterruptThatTheServerDidNotSendIsACancellation() throws Exception {
    stand.failure = () -> {
      throw new InterruptedException();
    };
    peer.send(1, fail());
    assertEquals("1 context canceled", peer.receive().status());
  }

  @Test
  void aCallIsInterruptedOnlyOnce() throws Exception {
    var cleaned = new CountDownLatch(1);
    stand.failure = () -> {
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException e) {
        peer.close();
        await().until(() -> stand.server.connections() == 0);
        if (!Thread.currentThread().isInterrupted()) {
          cleaned.countDown();
        }
      }
    };
    peer.send(1, fail().setTimeoutNano(10 * MILLISECOND));
    assertTrue(cleaned.await(20, TimeUnit.SECONDS));
  }

  /** Handlers that end just when their deadline passes: no interrupt may reach the write, which would end it all. */
  @Test
  void anInterruptNeverReachesTheWriteOfAReply() throws Exception {
    long seed = Seeded.seed("anInterruptNeverReachesTheWriteOfAReply");
    var random = new Random(seed);
    var late = new AtomicInteger();
    long work = 300_000;
    stand.failure = () -> {
      long end = System.nanoTime() + work;
      while (System.nanoTime() < end) {
        LockSupport.parkNanos(end - System.nanoTime());
        if (Thread.interrupted()) {
          late.incrementAndGet();
          throw new InterruptedException();
        }
      }
    };
    int calls = 3000;
    for (int i = 0; i < calls; i++) {
      peer.send(2 * i + 1, fail().setTimeoutNano(work + random.nextLong(work) - work / 4));
      if (i % 8 == 7) {
        for (int j = 0; j < 8; j++) {
          String status = peer.receive().status();
          assertTrue(status.equals("0 ") || status.equals("4 context deadline exceeded"), status);
        }
      }
    }
    assertTrue(late.get() > 0 && late.get() < calls, late + " of " + calls + " were late");
  }
}
