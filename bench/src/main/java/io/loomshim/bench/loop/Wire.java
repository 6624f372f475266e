package io.loomshim.bench.loop;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.ttrpc.Response;
import io.loomshim.proto.ttrpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Replies of ttrpc in buffers of Netty (docs/PROTOCOL.md). Pure functions for any thread. */
final class Wire {
  static final int HEADER_BYTES = 10;

  /** Bytes of data that a frame may carry. */
  static final int DATA_BYTES_MAX = 4 << 20;

  private static final int RESPONSE = 2;
  private static final int TAG = Response.PAYLOAD_FIELD_NUMBER << 3 | 2;

  private Wire() {}

  /** A successful reply; the payload is written straight into its place. */
  static ByteBuf reply(ByteBufAllocator buffers, int stream, MessageLite message) {
    int payload = message.getSerializedSize();
    int data = payload == 0 ? 0 : 1 + CodedOutputStream.computeUInt32SizeNoTag(payload) + payload;
    ByteBuf frame = frame(buffers, stream, data);
    if (payload != 0) {
      var place = frame.nioBuffer(HEADER_BYTES, data);
      try {
        var out = CodedOutputStream.newInstance(place);
        out.writeUInt32NoTag(TAG);
        out.writeUInt32NoTag(payload);
        message.writeTo(out);
        out.flush();
      } catch (IOException e) {
        frame.release();
        throw new UncheckedIOException(e);
      }
      frame.writerIndex(HEADER_BYTES + data);
    }
    return frame;
  }

  static ByteBuf error(ByteBufAllocator buffers, int stream, StatusException error) {
    var status = Status.newBuilder().setCode(error.code().number()).setMessage(String.valueOf(error.getMessage()));
    byte[] data = Response.newBuilder().setStatus(status).build().toByteArray();
    return frame(buffers, stream, data.length).writeBytes(data);
  }

  private static ByteBuf frame(ByteBufAllocator buffers, int stream, int data) {
    return buffers.buffer(HEADER_BYTES + data).writeInt(data).writeInt(stream).writeByte(RESPONSE).writeByte(0);
  }
}
