package io.loomshim.ttrpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.ttrpc.KeyValue;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.proto.ttrpc.Response;
import io.loomshim.proto.ttrpc.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Encodes and decodes frames. A frame is a header of ten bytes (length of the data and stream id, both unsigned and
 * big-endian, type, flags) and the data, a protobuf message. Each frame is encoded into one array, and the payload is
 * written straight into its place. Pure functions for any thread.
 */
public final class Frame {
  /** Bytes of a header. */
  public static final int HEADER_BYTES = 10;

  /** Bytes of data that a frame may carry, both ways: the limit of every ttrpc implementation (4 << 20). */
  static final int DATA_BYTES_MAX = 4 << 20;

  /**
   * Characters of an error text, of which runc's output may be a part. Each takes three bytes at most in UTF-8, so the
   * frame stays below {@link #DATA_BYTES_MAX}.
   */
  static final int TEXT_CHARS_MAX = 1 << 20;

  /**
   * Bytes in one system call; a larger frame takes several. This bounds the native memory through which they go.
   */
  static final int CHUNK_BYTES = 64 << 10;

  public static final byte REQUEST = 1;
  static final byte RESPONSE = 2;

  private static final byte NO_FLAGS = 0;
  /** Where the number of the stream stands; the length of the data stands at 0. */
  public static final int ID_OFFSET = 4;
  private static final int TYPE_OFFSET = 8;

  private Frame() {}

  /** Returns the error text for a message of {@code bytes}, which are too many. */
  static String tooLong(long bytes) {
    return "message length " + bytes + " exceed maximum message size of " + DATA_BYTES_MAX;
  }

  /**
   * Returns the frame of a successful reply. The status is absent, as all clients expect; the data of an
   * empty message is empty.
   *
   * @throws StatusException RESOURCE_EXHAUSTED if it would be longer than {@link #DATA_BYTES_MAX}
   */
  static byte[] reply(long id, MessageLite message) {
    int payload = message.getSerializedSize();
    int data = payload == 0 ? 0 : fieldBytes(Response.PAYLOAD_FIELD_NUMBER, payload);
    byte[] frame = header(id, RESPONSE, data);
    if (payload != 0) {
      putPayload(frame, HEADER_BYTES, Response.PAYLOAD_FIELD_NUMBER, payload, message);
    }
    return frame;
  }

  /** Returns the frame of an error reply; a text of more than {@link #TEXT_CHARS_MAX} characters is cut. */
  static byte[] error(long id, Code code, String text) {
    var status = Status.newBuilder().setCode(code.number());
    // by way of getBytes, which replaces half surrogate pairs (those of a cut text too)
    status.setMessageBytes(ByteString.copyFrom(cut(text).getBytes(StandardCharsets.UTF_8)));
    Response response = Response.newBuilder().setStatus(status).build();
    byte[] frame = header(id, RESPONSE, response.getSerializedSize());
    put(frame, HEADER_BYTES, response);
    return frame;
  }

  /**
   * Returns the frame of a request with stream id 0; {@link #number} gives it its id.
   *
   * @param timeoutNanos 0 for none
   * @throws StatusException RESOURCE_EXHAUSTED if it would be longer than {@link #DATA_BYTES_MAX}
   */
  static byte[] request(String service, String method, MessageLite message, long timeoutNanos,
      Map<String, String> metadata) {
    var builder = Request.newBuilder().setService(service).setMethod(method).setTimeoutNano(timeoutNanos);
    for (var pair : metadata.entrySet()) {
      builder.addMetadata(KeyValue.newBuilder().setKey(pair.getKey()).setValue(pair.getValue()));
    }
    Request rest = builder.build();
    int head = rest.getSerializedSize();
    int payload = message.getSerializedSize();
    int field = payload == 0 ? 0 : fieldBytes(Request.PAYLOAD_FIELD_NUMBER, payload);
    byte[] frame = header(0, REQUEST, (long) head + field);
    put(frame, HEADER_BYTES, rest);
    if (payload != 0) {
      putPayload(frame, HEADER_BYTES + head, Request.PAYLOAD_FIELD_NUMBER, payload, message);
    }
    return frame;
  }

  /** Sets the stream id of a frame. */
  static void number(byte[] frame, long id) {
    ByteBuffer.wrap(frame).putInt(ID_OFFSET, (int) id);
  }

  /** Returns the bytes of data that the header at {@code at} announces. */
  public static long length(ByteBuffer bytes, int at) {
    return Integer.toUnsignedLong(bytes.getInt(at));
  }

  /** Returns the stream id in the header at {@code at}. */
  public static long id(ByteBuffer bytes, int at) {
    return Integer.toUnsignedLong(bytes.getInt(at + ID_OFFSET));
  }

  /** Returns the type in the header at {@code at}. */
  static byte type(ByteBuffer bytes, int at) {
    return bytes.get(at + TYPE_OFFSET);
  }

  private static byte[] header(long id, byte type, long data) {
    if (data > DATA_BYTES_MAX || data < 0) {
      throw new StatusException(Code.RESOURCE_EXHAUSTED, tooLong(data));
    }
    byte[] frame = new byte[HEADER_BYTES + (int) data];
    ByteBuffer.wrap(frame).putInt((int) data).putInt((int) id).put(type).put(NO_FLAGS);
    return frame;
  }

  private static int fieldBytes(int field, int length) {
    // saturates: a message near 2 GiB must end as too long, not as negative
    long bytes = CodedOutputStream.computeTagSize(field) + CodedOutputStream.computeUInt32SizeNoTag(length)
        + (long) length;
    return (int) Math.min(bytes, Integer.MAX_VALUE);
  }

  private static void put(byte[] frame, int at, MessageLite message) {
    try {
      var out = CodedOutputStream.newInstance(frame, at, frame.length - at);
      message.writeTo(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void putPayload(byte[] frame, int at, int field, int bytes, MessageLite message) {
    try {
      var out = CodedOutputStream.newInstance(frame, at, frame.length - at);
      out.writeUInt32NoTag(field << 3 | 2);
      out.writeUInt32NoTag(bytes);
      message.writeTo(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String cut(String text) {
    return text.length() <= TEXT_CHARS_MAX ? text : text.substring(0, TEXT_CHARS_MAX);
  }
}
