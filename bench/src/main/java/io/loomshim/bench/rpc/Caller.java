package io.loomshim.bench.rpc;

import com.google.protobuf.MessageLite;
import io.loomshim.proto.ttrpc.Response;
import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/**
 * The leanest client there can be, so that its own time hides the shim's as little as possible: one connection that
 * makes the same call again and again, from a frame that was encoded once (docs/PROTOCOL.md). Blocks until
 * {@link #channel()} is told not to; used from one thread.
 */
public final class Caller implements AutoCloseable {
  /** More than any reply to the calls that are measured. */
  private static final int REPLY_BYTES_MAX = 1 << 16;

  private final SocketChannel channel;
  private final ByteBuffer request;
  private final ByteBuffer reply = ByteBuffer.allocateDirect(REPLY_BYTES_MAX);
  private int id = -1;
  private boolean answered;
  private long sentAt;

  private Caller(SocketChannel channel, ByteBuffer request) {
    this.channel = channel;
    this.request = request;
  }

  public static Caller connect(Path socket, String method, MessageLite message) throws IOException {
    ByteBuffer frame = Frame.request(0, method, message, Task.LIMIT);
    return new Caller(SocketChannel.open(UnixDomainSocketAddress.of(socket)), frame);
  }

  SocketChannel channel() {
    return channel;
  }

  /** One call; the microseconds that it took. */
  public double call() throws IOException {
    send();
    double micros = -1;
    while (micros < 0) {
      micros = receive();
    }
    return micros;
  }

  /** Whether any call has been answered. */
  boolean answered() {
    return answered;
  }

  /** Sends the next request. */
  void send() throws IOException {
    id += 2;
    request.putInt(Frame.STREAM_OFFSET, id).rewind();
    sentAt = System.nanoTime();
    while (request.hasRemaining()) {
      channel.write(request);
    }
  }

  /** Reads once; the microseconds since {@link #send}, or −1 if the reply is not complete yet. */
  double receive() throws IOException {
    if (channel.read(reply) < 0) {
      throw new EOFException("the shim has closed the connection");
    }
    if (reply.position() < Frame.HEADER_BYTES || reply.position() < Frame.HEADER_BYTES + reply.getInt(0)) {
      return -1;
    }
    double micros = (System.nanoTime() - sentAt) / 1e3;
    reply.flip().position(Frame.HEADER_BYTES);
    var response = Response.parser().parseFrom(reply);
    if (reply.getInt(Frame.STREAM_OFFSET) != id || response.getStatus().getCode() != 0) {
      throw new IOException("stream " + id + ": answer on stream " + reply.getInt(Frame.STREAM_OFFSET) + ", "
          + response.getStatus().getMessage());
    }
    reply.clear();
    answered = true;
    return micros;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
