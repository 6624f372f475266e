import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.proto.ttrpc.Response;
import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The leanest client there can be, so that its own time hides the shim's as little as possible: one connection that
 * makes the same call again and again, from a frame that was encoded once (docs/PROTOCOL.md). Blocks until
 * {@link #channel()} is told not to; used from one thread.
 */
final class Caller implements AutoCloseable {
  static final int HEADER_BYTES = 10;
  static final int ID_OFFSET = 4;
  private static final byte REQUEST = 1;

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

  static Caller connect(Path socket, String method, MessageLite message) throws IOException {
    ByteBuffer frame = frame(0, method, message, Task.LIMIT);
    return new Caller(SocketChannel.open(UnixDomainSocketAddress.of(socket)), frame);
  }

  /** A request on stream {@code id}; {@code limit} 0 for none. */
  static ByteBuffer frame(int id, String method, MessageLite message, Duration limit) {
    ByteString data = Request.newBuilder().setService(Task.SERVICE).setMethod(method)
        .setPayload(message.toByteString()).setTimeoutNano(limit.toNanos()).build().toByteString();
    var frame = ByteBuffer.allocateDirect(HEADER_BYTES + data.size());
    frame.putInt(data.size()).putInt(id).put(REQUEST).put((byte) 0);
    data.copyTo(frame);
    return frame.rewind();
  }

  SocketChannel channel() {
    return channel;
  }

  /** One call; the microseconds that it took. */
  double call() throws IOException {
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
    request.putInt(ID_OFFSET, id).rewind();
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
    if (reply.position() < HEADER_BYTES || reply.position() < HEADER_BYTES + reply.getInt(0)) {
      return -1;
    }
    double micros = (System.nanoTime() - sentAt) / 1e3;
    reply.flip().position(HEADER_BYTES);
    var response = Response.parser().parseFrom(reply);
    if (reply.getInt(ID_OFFSET) != id || response.getStatus().getCode() != 0) {
      throw new IOException("stream " + id + ": answer on stream " + reply.getInt(ID_OFFSET) + ", "
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
