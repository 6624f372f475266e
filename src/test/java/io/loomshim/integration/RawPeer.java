package io.loomshim.integration;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.proto.ttrpc.Response;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/** A client of a daemon that writes what it likes: frames of ttrpc, halves of them, noise. Used by one thread. */
final class RawPeer implements AutoCloseable {
  static final int HEADER_BYTES = 10;
  private static final int REQUEST = 1;
  private static final String SERVICE = "containerd.task.v2.Task";

  private final SocketChannel channel;
  private long id = 1;

  private RawPeer(SocketChannel channel) {
    this.channel = channel;
  }

  static RawPeer connect(Path socket) {
    try {
      return new RawPeer(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The data of a request's frame. */
  static byte[] request(String method, ByteString payload) {
    return Request.newBuilder().setService(SERVICE).setMethod(method).setPayload(payload).build()
        .toByteArray();
  }

  static byte[] header(long length, long id, int type) {
    return ByteBuffer.allocate(HEADER_BYTES).putInt((int) length).putInt((int) id).put((byte) type).put((byte) 0)
        .array();
  }

  /** Sends a whole request with the next id. */
  void send(String method, ByteString payload) throws IOException {
    byte[] data = request(method, payload);
    bytes(header(data.length, id, REQUEST));
    bytes(data);
    id += 2;
  }

  void send(String method, MessageLite message) throws IOException {
    send(method, message.toByteString());
  }

  /** Sends the beginning of a request of {@code length} bytes, {@code sent} of them. */
  void begin(int length, int sent) throws IOException {
    bytes(header(length, id, REQUEST));
    bytes(new byte[sent]);
  }

  void bytes(byte[] bytes) throws IOException {
    var buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  /** Waits for the next reply. */
  Response receive() throws IOException {
    ByteBuffer header = read(HEADER_BYTES);
    return Response.parseFrom(read(header.getInt()).array());
  }

  /** The next reply's code, 0 for success. */
  int code() throws IOException {
    return receive().getStatus().getCode();
  }

  /** Tells the other side that no more comes. */
  void end() throws IOException {
    channel.shutdownOutput();
  }

  /** Reads whatever is answered until the connection is closed, on a thread of its own. */
  Thread reading() {
    return Thread.ofVirtual().start(() -> {
      var trash = ByteBuffer.allocate(64 << 10);
      try {
        while (channel.read(trash.clear()) >= 0) {
          // whatever it says
        }
      } catch (IOException e) {
        // closed
      }
    });
  }

  private ByteBuffer read(int bytes) throws IOException {
    var buffer = ByteBuffer.allocate(bytes);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new EOFException();
      }
    }
    return buffer.flip();
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
