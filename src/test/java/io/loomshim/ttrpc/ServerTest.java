package io.loomshim.ttrpc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.BytesValue;
import com.google.protobuf.Empty;
import com.google.protobuf.StringValue;
import io.loomshim.proto.ttrpc.KeyValue;
import io.loomshim.proto.ttrpc.Request;
import java.io.ByteArrayOutputStream;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ServerTest extends OnStand {
  private static Request.Builder echo() {
    return Peer.request(Stand.SERVICE, "Echo", BytesValue.of(ByteString.copyFromUtf8("hi")));
  }

  private static Request.Builder hold(String text) {
    return Peer.request(Stand.SERVICE, "Hold", Stand.text(text));
  }

  @Test
  void aReplyIsATypeTwoFrameOnTheSameIdWithoutStatus() throws Exception {
    peer.send(7, echo());
    Peer.Reply reply = peer.receive();
    assertEquals(7, reply.id());
    assertEquals(2, reply.type());
    assertEquals(0, reply.flags());
    assertFalse(reply.response().hasStatus());
    assertEquals("hi", BytesValue.parseFrom(reply.response().getPayload()).getValue().toStringUtf8());
  }

  @Test
  void anEmptyReplyIsAFrameOfLengthZero() throws Exception {
    peer.send(1, Peer.request(Stand.SERVICE, "Nothing", Empty.getDefaultInstance()));
    assertEquals(0, peer.receive().data().length);
  }

  @Test
  void callsThatNeverWaitAreAnsweredByTheThreadThatReadsAndTheOthersByTheirOwn() throws Exception {
    peer.send(1, hold(""));
    peer.send(3, Peer.request(Stand.SERVICE, "Thread", Empty.getDefaultInstance()));
    peer.send(5, Peer.request(Stand.SERVICE, "Refuse", Empty.getDefaultInstance()));
    peer.send(7, Peer.request(Stand.SERVICE, "Thread", Empty.getDefaultInstance()));
    var first = StringValue.parseFrom(peer.receive().response().getPayload());
    assertEquals("5 no such thing", peer.receive().status());
    var second = StringValue.parseFrom(peer.receive().response().getPayload());
    assertEquals(first, second);
    assertTrue(first.getValue().startsWith("rpc/Thread/c1 "), first::getValue);
    stand.release.countDown();
    assertEquals(1, peer.receive().id());
  }

  @Test
  void anEvenIdIsRefusedAndTheConnectionGoesOn() throws Exception {
    peer.send(2, echo());
    assertEquals("3 StreamID must be odd for client initiated streams", peer.receive().status());
    peer.send(3, echo());
    assertEquals(3, peer.receive().id());
  }

  @Test
  void anIdMustIncreaseAsAnUnsignedNumber() throws Exception {
    peer.send(5, echo());
    peer.receive();
    for (long id : new long[] {5, 3}) {
      peer.send(id, echo());
      Peer.Reply reply = peer.receive();
      assertEquals(id, reply.id());
      assertEquals("3 StreamID cannot be re-used and must increment", reply.status());
    }
    peer.send(0x8000_0001L, echo());
    assertFalse(peer.receive().response().hasStatus());
    peer.send(0xffff_ffffL, echo());
    assertEquals(0xffff_ffffL, peer.receive().id());
    peer.send(7, echo());
    assertEquals("3 StreamID cannot be re-used and must increment", peer.receive().status());
  }

  @Test
  void aFrameOfAnotherTypeIsIgnored() throws Exception {
    for (int type : new int[] {0, 2, 3, 77, 255}) {
      peer.send(1, type, new byte[] {1, 2, 3});
    }
    peer.send(1, echo());
    assertFalse(peer.receive().response().hasStatus());
  }

  @Test
  void aRequestThatIsNoMessageIsAnInvalidArgument() throws Exception {
    peer.send(1, 1, new byte[] {0x0a, 0x7f, 1});
    String status = peer.receive().status();
    assertTrue(status.startsWith("3 unmarshal request error: "), status);
    peer.send(3, 1, new byte[] {0x0a, 1, (byte) 0xff}); // not UTF-8
    assertTrue(peer.receive().status().startsWith("3 unmarshal request error: "));
    peer.send(5, echo());
    assertFalse(peer.receive().response().hasStatus());
  }

  @Test
  void anUnknownServiceOrMethodIsUnimplemented() throws Exception {
    peer.send(1, Peer.request("containerd.task.v3.Task", "Create", Empty.getDefaultInstance()));
    assertEquals("12 service containerd.task.v3.Task", peer.receive().status());
    peer.send(3, Peer.request(Stand.SERVICE, "echo", Empty.getDefaultInstance()));
    assertEquals("12 method echo", peer.receive().status());
    peer.send(5, 1, new byte[0]);
    assertEquals("12 service ", peer.receive().status());
  }

  @Test
  void aPayloadThatIsNoMessageIsAnInternalError() throws Exception {
    var payload = ByteString.copyFrom(new byte[] {0x0a, 0x7f});
    peer.send(1, Request.newBuilder().setService(Stand.SERVICE).setMethod("Echo").setPayload(payload));
    String status = peer.receive().status();
    assertTrue(status.startsWith("13 ttrpc: error unmarshalling payload: "), status);
  }

  @Test
  void noReplyAtAllIsAnErrorOfItsOwn() throws Exception {
    peer.send(1, Peer.request(Stand.SERVICE, "Null", Empty.getDefaultInstance()));
    assertEquals("2 ttrpc: marshal called with nil", peer.receive().status());
  }

  @Test
  void aHandlerSeesTheMetadataInWhateverCase() throws Exception {
    var request = Peer.request(Stand.SERVICE, "Metadata", Stand.text("Key"));
    for (String[] pair : new String[][] {{"key", "a"}, {"other", "b"}, {"KEY", "c"}}) {
      request.addMetadata(KeyValue.newBuilder().setKey(pair[0]).setValue(pair[1]));
    }
    peer.send(1, request);
    assertEquals("[a, c]", StringValue.parseFrom(peer.receive().response().getPayload()).getValue());
  }

  @Test
  void callsOfOneConnectionRunAtOnceAndAreAnsweredAsTheyEnd() throws Exception {
    for (int i = 0; i < 100; i++) {
      peer.send(2 * i + 1, hold("x"));
    }
    peer.send(999, echo());
    assertEquals(999, peer.receive().id());
    await().until(() -> stand.server.inFlight().size() == 100);
    stand.release.countDown();
    Set<Long> ids = new HashSet<>();
    for (int i = 0; i < 100; i++) {
      ids.add(peer.receive().id());
    }
    assertEquals(100, ids.size());
  }

  @Test
  void manyRequestsInOneWriteAreAllAnswered() throws Exception {
    var bytes = new ByteArrayOutputStream();
    for (int i = 0; i < 500; i++) {
      byte[] frame = Frame.request(Stand.SERVICE, "Echo", BytesValue.of(Peer.zeros(i)), 0, Stand.NO_METADATA);
      Frame.number(frame, 2 * i + 1);
      bytes.write(frame);
    }
    peer.bytes(bytes.toByteArray());
    Set<Integer> sizes = new HashSet<>();
    for (int i = 0; i < 500; i++) {
      sizes.add(BytesValue.parseFrom(peer.receive().response().getPayload()).getValue().size());
    }
    assertEquals(500, sizes.size());
  }

  @Test
  void aRequestMayArriveByteByByte() throws Exception {
    byte[] frame = Frame.request(Stand.SERVICE, "Echo", BytesValue.of(Peer.zeros(2000)), 0, Stand.NO_METADATA);
    Frame.number(frame, 1);
    for (byte b : frame) {
      peer.bytes(new byte[] {b});
    }
    assertEquals(2000, BytesValue.parseFrom(peer.receive().response().getPayload()).getValue().size());
  }

  @Test
  void callsInFlightTellWhatTheyServe() throws Exception {
    peer.send(1, hold("web-1"));
    await().until(() -> stand.server.inFlight().stream().anyMatch(c -> c.threadName().equals("rpc/Hold/web-1")));
    peer.send(3, hold(""));
    await().until(() -> stand.server.inFlight().size() == 2);
    List<Call> calls = stand.server.inFlight();
    assertEquals(List.of(1L, 3L), calls.stream().map(Call::id).toList());
    assertEquals("rpc/Hold/c" + calls.get(1).connection(), calls.get(1).threadName());
    assertEquals(Stand.SERVICE, calls.get(0).service());
    assertEquals("Hold", calls.get(0).method());
    assertTrue(calls.get(0).age().isPositive());
    assertTrue(calls.get(0).remaining().isEmpty());
  }

  @Test
  void aClosedServerEndsItsConnectionsAndAcceptsNoMore() throws Exception {
    peer.send(1, hold("x"));
    await().until(() -> stand.server.inFlight().size() == 1);
    stand.server.close();
    assertTrue(peer.ended());
    assertFalse(stand.interrupted.take().threadName().isEmpty());
    assertThrows(java.io.IOException.class, () -> stand.peer());
  }
}
