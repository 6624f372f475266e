package io.loomshim.integration;

import com.google.protobuf.MessageLite;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.proto.ttrpc.Response;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/**
 * One call on a connection of its own, in wire form: it tells the shim its deadline but has none itself, and it may
 * vanish without a word. Used from one thread.
 */
final class LooseCall implements AutoCloseable {
  private static final int HEADER_BYTES = 10;
  private static final byte REQUEST = 1;

  private final SocketChannel channel;

  private LooseCall(SocketChannel channel) {
    this.channel = channel;
  }

  /** Sends a request to the shim of {@code task}; {@code timeout} is its {@code timeout_nano}, zero for none. */
  static LooseCall send(ShimClient task, String method, MessageLite message, Duration timeout) {
    byte[] data = Request.newBuilder().setService(task.service()).setMethod(method)
        .setPayload(message.toByteString()).setTimeoutNano(timeout.toNanos()).build().toByteArray();
    var frame = ByteBuffer.allocate(HEADER_BYTES + data.length);
    frame.putInt(data.length).putInt(1).put(REQUEST).put((byte) 0).put(data).flip();
    try {
      var channel = SocketChannel.open(UnixDomainSocketAddress.of(task.socket()));
      while (frame.hasRemaining()) {
        channel.write(frame);
      }
      return new LooseCall(channel);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for the reply: the code and the text of its status. */
  String status() {
    try {
      var reply = Response.parseFrom(read(read(HEADER_BYTES).getInt()));
      return reply.getStatus().getCode() + " " + reply.getStatus().getMessage();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private ByteBuffer read(int bytes) throws IOException {
    var buffer = ByteBuffer.allocate(bytes);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new EOFException("the shim has closed the connection");
      }
    }
    return buffer.flip();
  }

  /** Vanishes. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
