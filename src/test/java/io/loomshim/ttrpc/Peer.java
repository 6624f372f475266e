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

/** A peer that speaks the wire bytes itself, right or wrong. One thread. */
final class Peer implements AutoCloseable {
  /** A frame as it came. */
  record Reply(long id, int type, int flags, byte[] data) {
    Response response() throws IOException {
      return Response.parseFrom(data);
    }

    String status() throws IOException {
      return response().getStatus().getCode() + " " + response().getStatus().getMessage();
    }
  }

  private final SocketChannel channel;

  Peer(SocketChannel channel) {
    this.channel = channel;
  }

  static Peer connect(Path socket) throws IOException {
    return new Peer(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
  }

  static Request.Builder request(String service, String method, MessageLite message) {
    return Request.newBuilder().setService(service).setMethod(method).setPayload(message.toByteString());
  }

  void send(long id, Request.Builder request) throws IOException {
    send(id, 1, request.build().toByteArray());
  }

  void send(long id, int type, byte[] data) throws IOException {
    header(data.length, id, type);
    bytes(data);
  }

  void header(long length, long id, int type) throws IOException {
    var header = ByteBuffer.allocate(10).putInt((int) length).putInt((int) id).put((byte) type).put((byte) 0);
    bytes(header.array());
  }

  void bytes(byte[] bytes) throws IOException {
    for (int at = 0; at < bytes.length;) {
      at += channel.write(ByteBuffer.wrap(bytes, at, Math.min(bytes.length - at, 64 << 10)));
    }
  }

  /** Waits for one frame. */
  Reply receive() throws IOException {
    ByteBuffer header = read(10);
    int length = header.getInt();
    long id = Integer.toUnsignedLong(header.getInt());
    int type = header.get();
    int flags = header.get();
    return new Reply(id, type, flags, read(length).array());
  }

  /** Tells whether the other side ends the connection without a further byte. */
  boolean ended() {
    try {
      return channel.read(ByteBuffer.allocate(1)) < 0;
    } catch (IOException e) {
      return true; // reset
    }
  }

  void endOutput() throws IOException {
    channel.shutdownOutput();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private ByteBuffer read(int bytes) throws IOException {
    var buffer = ByteBuffer.allocate(bytes);
    while (buffer.position() < bytes) {
      buffer.limit(Math.min(bytes, buffer.position() + (64 << 10)));
      if (channel.read(buffer) < 0) {
        throw new EOFException();
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
