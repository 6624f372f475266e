package io.loomshim.ttrpc;

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

/**
 * A peer that speaks the wire bytes itself, right or wrong; what it knows of frames is not from the code under
 * test. One thread.
 */
public final class Peer implements AutoCloseable {
  /** Bytes of a frame's header. */
  public static final int HEADER_BYTES = 10;

  /** Bytes of data that a frame may carry. */
  public static final int DATA_BYTES_MAX = 4_194_304;

  private static final int CHUNK_BYTES = 64 << 10;

  /** A frame as it came. */
  public record Reply(long id, int type, int flags, byte[] data) {
    public Response response() throws IOException {
      return Response.parseFrom(data);
    }

    public String status() throws IOException {
      return response().getStatus().getCode() + " " + response().getStatus().getMessage();
    }
  }

  private final SocketChannel channel;

  Peer(SocketChannel channel) {
    this.channel = channel;
  }

  public static Peer connect(Path socket) throws IOException {
    return new Peer(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
  }

  static Request.Builder request(String service, String method, MessageLite message) {
    return Request.newBuilder().setService(service).setMethod(method).setPayload(message.toByteString());
  }

  public void send(long id, Request.Builder request) throws IOException {
    send(id, 1, request.build().toByteArray());
  }

  public void send(long id, int type, byte[] data) throws IOException {
    header(data.length, id, type);
    bytes(data);
  }

  void header(long length, long id, int type) throws IOException {
    bytes(headerOf(length, id, type));
  }

  /** The bytes of a header. */
  public static byte[] headerOf(long length, long id, int type) {
    return ByteBuffer.allocate(HEADER_BYTES).putInt((int) length).putInt((int) id).put((byte) type).put((byte) 0)
        .array();
  }

  public void bytes(byte[] bytes) throws IOException {
    for (int at = 0; at < bytes.length;) {
      at += channel.write(ByteBuffer.wrap(bytes, at, Math.min(bytes.length - at, CHUNK_BYTES)));
    }
  }

  /** Waits for one frame. */
  public Reply receive() throws IOException {
    ByteBuffer header = read(HEADER_BYTES);
    int length = header.getInt();
    long id = Integer.toUnsignedLong(header.getInt());
    int type = header.get();
    int flags = header.get();
    return new Reply(id, type, flags, read(length).array());
  }

  /** Tells whether the other side ends the connection without a further byte. */
  public boolean ended() {
    try {
      return channel.read(ByteBuffer.allocate(1)) < 0;
    } catch (IOException e) {
      return true; // reset
    }
  }

  /** Reads whatever comes until the connection is closed. */
  public void drain() {
    var trash = ByteBuffer.allocate(CHUNK_BYTES);
    try {
      while (channel.read(trash.clear()) >= 0) {
        // whatever it says
      }
    } catch (IOException e) {
      // closed
    }
  }

  public void endOutput() throws IOException {
    channel.shutdownOutput();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private ByteBuffer read(int bytes) throws IOException {
    var buffer = ByteBuffer.allocate(bytes);
    while (buffer.position() < bytes) {
      buffer.limit(Math.min(bytes, buffer.position() + CHUNK_BYTES));
      if (channel.read(buffer) < 0) {
        throw new EOFException("the other side has closed the connection");
      }
    }
    return buffer.flip();
  }

  static byte[] hex(String text) {
    return java.util.HexFormat.of().parseHex(text.replaceAll("[ |]", ""));
  }

  static ByteString zeros(int bytes) {
    return ByteString.copyFrom(new byte[bytes]);
  }
}
