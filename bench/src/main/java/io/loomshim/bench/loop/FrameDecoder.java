package io.loomshim.bench.loop;

import io.loomshim.proto.ttrpc.Request;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.io.IOException;
import java.util.List;

/** Makes requests of the bytes of one connection. Runs on its event loop. */
final class FrameDecoder extends ByteToMessageDecoder {
  private static final int STREAM_OFFSET = 4;

  /** A request and the number of its stream. */
  record Arrived(int stream, Request request) {}

  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) throws IOException {
    if (in.readableBytes() < Wire.HEADER_BYTES) {
      return;
    }
    int length = in.getInt(in.readerIndex());
    if (length < 0 || length > Wire.DATA_BYTES_MAX) {
      throw new IOException("message length " + Integer.toUnsignedString(length) + " exceed maximum message size of "
          + Wire.DATA_BYTES_MAX);
    }
    if (in.readableBytes() < Wire.HEADER_BYTES + length) {
      return;
    }
    int stream = in.getInt(in.readerIndex() + STREAM_OFFSET);
    in.skipBytes(Wire.HEADER_BYTES);
    Request request = Request.parseFrom(in.nioBuffer(in.readerIndex(), length));
    in.skipBytes(length);
    out.add(new Arrived(stream, request));
  }
}
