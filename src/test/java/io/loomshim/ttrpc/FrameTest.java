package io.loomshim.ttrpc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.BytesValue;
import com.google.protobuf.Empty;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.task.ConnectRequest;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.proto.ttrpc.Response;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FrameTest {
  /** Bytes of data around a BytesValue of n bytes, n needing 4 bytes as a varint: two tags and two lengths. */
  private static final int AROUND = 1 + 4 + 1 + 4;

  private static byte[] data(byte[] frame) {
    return Arrays.copyOfRange(frame, Frame.HEADER_BYTES, frame.length);
  }

  @Test
  void aRequestHasTheBytesOfTheProtocolPage() {
    var message = ConnectRequest.newBuilder().setId("testctr").build();
    byte[] frame = Frame.request("containerd.task.v2.Task", "Connect", message, 0, Map.of());
    Frame.number(frame, 1);
    assertArrayEquals(Peer.hex("0000002d 00000001 01 00 | 0a17 636f6e7461696e6572642e7461736b2e76322e5461736b"
        + "1207 436f6e6e656374 1a09 0a0774657374637472"), frame);
  }

  @Test
  void anErrorHasTheBytesOfTheProtocolPage() {
    assertArrayEquals(Peer.hex("00000026 00000001 02 00 | 0a24 0805 1220"
        + "636f6e7461696e6572206e6f7420637265617465643a206e6f7420666f756e64"),
        Frame.error(1, Code.NOT_FOUND, "container not created: not found"));
  }

  @Test
  void anEmptyReplyIsAHeaderOnly() {
    assertArrayEquals(Peer.hex("00000000 fffffffd 02 00"), Frame.reply(0xffff_fffdL, Empty.getDefaultInstance()));
  }

  @Test
  void aReplyHasNoStatus() throws Exception {
    var message = BytesValue.of(Peer.zeros(300));
    Response response = Response.parseFrom(data(Frame.reply(1, message)));
    assertTrue(!response.hasStatus());
    assertEquals(message, BytesValue.parseFrom(response.getPayload()));
  }

  @Test
  void aRequestCarriesTimeoutAndMetadata() throws Exception {
    byte[] frame = Frame.request("s", "m", Empty.getDefaultInstance(), 5_000_000_000L, Map.of("key", "värde"));
    Request request = Request.parseFrom(data(frame));
    assertEquals(5_000_000_000L, request.getTimeoutNano());
    assertEquals("key", request.getMetadata(0).getKey());
    assertEquals("värde", request.getMetadata(0).getValue());
  }

  /** What the tests know of frames is not from here. */
  @Test
  void theTestsKnowTheSameLayoutAndTheSameLimit() {
    assertEquals(Peer.HEADER_BYTES, Frame.HEADER_BYTES);
    assertEquals(Peer.DATA_BYTES_MAX, Frame.DATA_BYTES_MAX);
  }

  @Test
  void dataOfExactlyFourMebibytesFits() throws Exception {
    var message = BytesValue.of(Peer.zeros(Frame.DATA_BYTES_MAX - AROUND));
    byte[] frame = Frame.reply(1, message);
    assertEquals(Frame.HEADER_BYTES + 4_194_304, frame.length);
    assertEquals(message, BytesValue.parseFrom(Response.parseFrom(data(frame)).getPayload()));
  }

  @Test
  void oneByteMoreIsRefused() {
    var message = BytesValue.of(Peer.zeros(Frame.DATA_BYTES_MAX - AROUND + 1));
    var error = assertThrows(StatusException.class, () -> Frame.reply(1, message));
    assertEquals(Code.RESOURCE_EXHAUSTED, error.code());
    assertEquals("message length 4194305 exceed maximum message size of 4194304", error.getMessage());
    assertThrows(StatusException.class, () -> Frame.request("s", "m", message, 0, Map.of()));
  }

  @Test
  void aHugeErrorTextIsCutBelowTheLimitAndStaysValid() throws Exception {
    String text = "\u20ac".repeat(Frame.TEXT_CHARS_MAX - 1) + "\ud83d\ude00 more";
    byte[] frame = Frame.error(1, Code.UNKNOWN, text);
    assertTrue(frame.length <= Frame.HEADER_BYTES + Frame.DATA_BYTES_MAX);
    String sent = Response.parseFrom(data(frame)).getStatus().getMessage();
    assertEquals("\u20ac".repeat(Frame.TEXT_CHARS_MAX - 1) + "?", sent);
  }
}
