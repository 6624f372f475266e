package io.loomshim.integration.faults;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.proto.ttrpc.Response;
import io.loomshim.ttrpc.Peer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** A client of a daemon that writes what it likes: frames of ttrpc, halves of them, noise. Used by one thread. */
final class RawPeer implements AutoCloseable {
  private static final int REQUEST = 1;
  private static final String SERVICE = "containerd.task.v2.Task";

  private final Peer peer;
  private long id = 1;

  private RawPeer(Peer peer) {
    this.peer = peer;
  }

  static RawPeer connect(Path socket) {
    try {
      return new RawPeer(Peer.connect(socket));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The data of a request's frame. */
  static byte[] request(String method, ByteString payload) {
    return Request.newBuilder().setService(SERVICE).setMethod(method).setPayload(payload).build()
        .toByteArray();
  }

  /** Sends a whole request with the next id. */
  void send(String method, ByteString payload) throws IOException {
    peer.send(id, REQUEST, request(method, payload));
    id += 2;
  }

  void send(String method, MessageLite message) throws IOException {
    send(method, message.toByteString());
  }

  /** Sends the beginning of a request of {@code length} bytes, {@code sent} of them. */
  void begin(int length, int sent) throws IOException {
    bytes(Peer.headerOf(length, id, REQUEST));
    bytes(new byte[sent]);
  }

  void bytes(byte[] bytes) throws IOException {
    peer.bytes(bytes);
  }

  /** Waits for the next reply. */
  Response receive() throws IOException {
    return peer.receive().response();
  }

  /** The next reply's code, 0 for success. */
  int code() throws IOException {
    return receive().getStatus().getCode();
  }

  /** Tells the other side that no more comes. */
  void end() throws IOException {
    peer.endOutput();
  }

  /** Reads whatever is answered until the connection is closed, on a thread of its own. */
  Thread reading() {
    return Thread.ofVirtual().start(peer::drain);
  }

  @Override
  public void close() {
    try {
      peer.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
