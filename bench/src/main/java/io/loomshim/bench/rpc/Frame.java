package io.loomshim.bench.rpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.loomshim.proto.ttrpc.Request;
import java.nio.ByteBuffer;
import java.time.Duration;

/** A message of ttrpc on the wire: length, stream and type in ten bytes, then the data (docs/PROTOCOL.md). */
public final class Frame {
  public static final int HEADER_BYTES = io.loomshim.ttrpc.Frame.HEADER_BYTES;

  /** Where the number of the stream stands; the length of the data stands at 0. */
  public static final int STREAM_OFFSET = io.loomshim.ttrpc.Frame.ID_OFFSET;

  private Frame() {}

  /** A request to the task service on {@code stream}; {@code limit} 0 for none. */
  public static ByteBuffer request(int stream, String method, MessageLite message, Duration limit) {
    ByteString data = Request.newBuilder().setService(Task.SERVICE).setMethod(method)
        .setPayload(message.toByteString()).setTimeoutNano(limit.toNanos()).build().toByteString();
    var frame = ByteBuffer.allocateDirect(HEADER_BYTES + data.size());
    frame.putInt(data.size()).putInt(stream).put(io.loomshim.ttrpc.Frame.REQUEST).put((byte) 0);
    data.copyTo(frame);
    return frame.rewind();
  }
}
