package io.loomshim.ttrpc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.BytesValue;
import com.google.protobuf.Empty;
import com.google.protobuf.StringValue;
import io.loomshim.threads.Threads;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Sizes of messages and numbers of calls at the limits of the server. */
@Timeout(60)
class LimitsTest extends OnStand {
  private static final int MAX = Peer.DATA_BYTES_MAX;

  /** Bytes of a request for Size whose data is {@code bytes} long. */
  private static byte[] sized(int bytes) {
    int around = Peer.request(Stand.SERVICE, "Size", BytesValue.of(Peer.zeros(MAX))).build().getSerializedSize() - MAX;
    byte[] data = Peer.request(Stand.SERVICE, "Size", BytesValue.of(Peer.zeros(bytes - around))).build().toByteArray();
    assertEquals(bytes, data.length);
    return data;
  }

  @Test
  void aRequestOfExactlyFourMebibytesIsServed() throws Exception {
    peer.send(1, 1, sized(MAX));
    int size = Integer.parseInt(StringValue.parseFrom(peer.receive().response().getPayload()).getValue());
    assertTrue(size > MAX - 100 && size < MAX, "size " + size);
  }

  @Test
  void oneByteMoreIsDrainedAndAnsweredOnItsIdAndTheConnectionGoesOn() throws Exception {
    peer.send(1, 1, sized(MAX + 1));
    Peer.Reply reply = peer.receive();
    assertEquals(1, reply.id());
    assertEquals("8 message length 4194305 exceed maximum message size of 4194304", reply.status());
    peer.send(3, Peer.request(Stand.SERVICE, "Nothing", Empty.getDefaultInstance()));
    assertEquals(3, peer.receive().id());
  }

  @Test
  void anOverLongFrameIsAnsweredWhateverItsTypeAndId() throws Exception {
    byte[] chunk = new byte[1 << 20];
    peer.header(5L << 20, 0x8000_0000L, 9);
    for (int i = 0; i < 5; i++) {
      peer.bytes(chunk);
    }
    Peer.Reply reply = peer.receive();
    assertEquals(0x8000_0000L, reply.id());
    assertEquals("8 message length 5242880 exceed maximum message size of 4194304", reply.status());
  }

  @Test
  void aReplyOverTheLimitIsNotSentButAnsweredWithAnError() throws Exception {
    peer.send(1, Peer.request(Stand.SERVICE, "Zeros", Stand.text("" + MAX)));
    assertEquals("8 message length 4194314 exceed maximum message size of 4194304", peer.receive().status());
    peer.send(3, Peer.request(Stand.SERVICE, "Zeros", Stand.text("" + (MAX - 10))));
    assertEquals(MAX, peer.receive().data().length);
  }

  @Test
  void aPeerThatNeverReadsDelaysNobodyElse() throws Exception {
    Thread flood = Threads.start("flood", () -> {
      try {
        for (int id = 1;; id += 2) {
          peer.send(id, Peer.request(Stand.SERVICE, "Zeros", Stand.text("100000")));
        }
      } catch (java.io.IOException e) {
        // the test closes the peer
      }
    });
    await().atMost(Stand.LONG).until(() -> stand.server.inFlight().size() == Calls.CALLS_MAX);
    stand.assertServes();
    // once that call has left
    await().atMost(Stand.LONG).until(() -> stand.server.inFlight().size() == Calls.CALLS_MAX);
    peer.close();
    flood.join();
    await().until(() -> stand.server.inFlight().isEmpty());
  }

  @Test
  void callsPastTheLimitWaitUntilOneEnds() throws Exception {
    // few: a writer that the kernel has once held up goes on only when its socket is three quarters empty
    int calls = Calls.CALLS_MAX + 10;
    for (int i = 0; i < calls; i++) {
      peer.send(2 * i + 1, Peer.request(Stand.SERVICE, "Hold", Stand.text("x")));
    }
    await().atMost(Stand.LONG).until(() -> stand.server.inFlight().size() == Calls.CALLS_MAX);
    stand.assertServes();
    // once that call has left
    await().atMost(Stand.LONG).until(() -> stand.server.inFlight().size() == Calls.CALLS_MAX);
    stand.release.countDown();
    for (int i = 0; i < calls; i++) {
      assertFalse(peer.receive().response().hasStatus());
    }
  }

  @Test
  void largeFramesLeaveNoLargeBuffersBehind() throws Exception {
    long before = directBytes();
    try (Client client = stand.client()) {
      var large = BytesValue.of(Peer.zeros(MAX - 1000));
      for (int i = 0; i < 20; i++) {
        client.call(Stand.SERVICE, "Echo", large, BytesValue.parser(), Stand.LONG, Stand.NO_METADATA);
      }
    }
    long kept = directBytes() - before;
    assertTrue(kept < 1 << 20, kept + " bytes of direct buffers"); // one chunk per carrier
  }

  private static long directBytes() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct")).mapToLong(BufferPoolMXBean::getMemoryUsed).sum();
  }
}
