package io.loomshim.ttrpc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Empty;
import io.loomshim.insight.Latency;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DeadlinesTest {
  /** The heap against a list that is searched. */
  @Test
  void theEarliestIsAlwaysFirstWhateverLeavesInBetween() {
    var random = new Random(Seed.of("theEarliestIsAlwaysFirstWhateverLeavesInBetween"));
    var method = new Method<>("s", "m", Method.Kind.ORDINARY, new Latency(), Empty.parser(),
        (call, request) -> request);
    var heap = new DeadlineHeap();
    List<Call> model = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      boolean grow = random.nextInt(1000) < 520 - model.size();
      if (grow || model.isEmpty()) {
        long timeout = 1 + random.nextInt(1_000_000_000);
        var call = new Call(null, method, i, Empty.getDefaultInstance(), List.of(), timeout);
        heap.add(call);
        model.add(call);
      } else {
        Timed gone = random.nextBoolean() ? heap.first() : model.get(random.nextInt(model.size()));
        heap.remove(gone);
        heap.remove(gone);
        assertTrue(model.remove(gone));
      }
      assertEquals(model.size(), heap.size());
      if (!model.isEmpty()) {
        assertEquals(model.stream().min(Comparator.comparingLong(Call::deadlineNanos)).orElseThrow().deadlineNanos(),
            heap.first().dueNanos());
      }
    }
  }

  @Test
  void whatStaysExpiresNotBeforeItsTimeAndNothingElseDoes() throws Exception {
    var random = new Random(Seed.of("whatStaysExpiresNotBeforeItsTimeAndNothingElseDoes"));
    try (var stand = new Stand(); var peer = stand.peer()) {
      Set<Long> held = new HashSet<>();
      for (long id = 1; id < 200; id += 2) {
        long timeout = 500_000_000 + random.nextInt(300_000_000);
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
      assertFalse(stand.server.deadlines().timed());
      peer.send(1, Peer.request(Stand.SERVICE, "Hold", Stand.text("x")).setTimeoutNano(1_000_000_000));
      await().until(() -> stand.server.deadlines().timed());
      peer.receive();
      peer.send(3, Peer.request(Stand.SERVICE, "Nothing", Empty.getDefaultInstance()).setTimeoutNano(100_000_000));
      peer.receive();
      await().until(() -> !stand.server.deadlines().timed());
    }
  }
}
