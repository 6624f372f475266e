package io.loomshim.ttrpc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Empty;
import io.loomshim.testing.Seeded;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DeadlinesTest {
  @Test
  void whatIsCalledOffLeavesAtOnceAndTheRestComesInOrder() throws Exception {
    var random = Seeded.random("whatIsCalledOffLeavesAtOnceAndTheRestComesInOrder");
    try (var deadlines = new Deadlines("test")) {
      var happened = new LinkedBlockingQueue<Long>();
      List<Long> expected = new ArrayList<>();
      List<Future<?>> callOff = new ArrayList<>();
      for (int i = 0; i < 2000; i++) {
        long nanos = 1_000_000_000 + random.nextInt(1000) * 1_000_000L;
        boolean stays = random.nextBoolean();
        Future<?> deadline = deadlines.in(nanos, () -> happened.add(nanos));
        if (stays) {
          expected.add(nanos);
        } else {
          callOff.add(deadline);
        }
      }
      for (Future<?> deadline : callOff) {
        assertTrue(deadline.cancel(false));
      }
      assertEquals(expected.size(), deadlines.pending());
      List<Long> order = new ArrayList<>();
      for (int i = 0; i < expected.size(); i++) {
        order.add(happened.take());
      }
      assertEquals(0, deadlines.pending());
      assertTrue(happened.isEmpty());
      for (int i = 1; i < order.size(); i++) { // made one after the other, within less than this
        assertTrue(order.get(i - 1) - order.get(i) < 500_000_000, order.toString());
      }
      Collections.sort(expected);
      Collections.sort(order);
      assertEquals(expected, order);
    }
  }

  @Test
  void afterItsEndNothingHappensAndNothingFails() throws Exception {
    var deadlines = new Deadlines("test");
    var happened = new CountDownLatch(1);
    deadlines.in(Long.MAX_VALUE / 2, happened::countDown);
    Thread thread = deadlines.thread().orElseThrow();
    deadlines.close();
    deadlines.close();
    thread.join();
    deadlines.in(1, happened::countDown).cancel(false);
    assertEquals(0, deadlines.pending());
    assertEquals(1, happened.getCount());
  }

  @Test
  void whatStaysExpiresNotBeforeItsTimeAndNothingElseDoes() throws Exception {
    var random = Seeded.random("whatStaysExpiresNotBeforeItsTimeAndNothingElseDoes");
    try (var stand = new Stand(); var peer = stand.peer()) {
      Set<Long> held = new HashSet<>();
      for (long id = 1; id < 200; id += 2) {
        // much longer than a call takes that does not wait, on a busy machine too
        long timeout = 1_500_000_000 + random.nextInt(300_000_000);
        boolean hold = random.nextBoolean();
        var message = hold ? Stand.text("x") : Empty.getDefaultInstance();
        peer.send(id, Peer.request(Stand.SERVICE, hold ? "Hold" : "Nothing", message).setTimeoutNano(timeout));
        if (hold) {
          held.add(id);
        } else {
          Peer.Reply reply = peer.receive();
          assertEquals(id + " 0 ", reply.id() + " " + reply.status());
        }
      }
      while (!held.isEmpty()) {
        Call call = stand.interrupted.take();
        assertTrue(held.remove(call.id()), "call " + call.id());
        assertTrue(call.remaining().orElseThrow().isNegative());
        assertEquals("4 context deadline exceeded", peer.receive().status());
      }
    }
  }

  @Test
  void withoutDeadlinesNoTimerRuns() throws Exception {
    try (var stand = new Stand(); var peer = stand.peer()) {
      assertTrue(stand.server.deadlines().thread().isEmpty());
      peer.send(1, Peer.request(Stand.SERVICE, "Hold", Stand.text("x")).setTimeoutNano(1_000_000_000));
      await().until(stand::timed);
      peer.receive();
      peer.send(3, Peer.request(Stand.SERVICE, "Nothing", Empty.getDefaultInstance()).setTimeoutNano(100_000_000));
      peer.receive();
      Thread thread = stand.server.deadlines().thread().orElseThrow();
      await().until(() -> thread.getState() == Thread.State.WAITING);
    }
  }

  /** Such a call is over before anybody could interrupt it; most calls are of that kind. */
  @Test
  void callsThatNeverWaitHaveNoTimerEither() throws Exception {
    try (var stand = new Stand(); var peer = stand.peer()) {
      peer.send(1, Peer.request(Stand.SERVICE, "Thread", Empty.getDefaultInstance()).setTimeoutNano(1_000_000_000));
      peer.receive();
      assertTrue(stand.server.deadlines().thread().isEmpty());
    }
  }
}
