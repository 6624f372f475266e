package io.loomshim.integration.harness;

import com.google.protobuf.MessageLite;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.ttrpc.Peer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;

/**
 * One call on a connection of its own, in wire form: it tells the shim its deadline but has none itself, and it may
 * vanish without a word. Used from one thread.
 */
public final class LooseCall implements AutoCloseable {
  private final Peer peer;

  private LooseCall(Peer peer) {
    this.peer = peer;
  }

  /** Sends a request to the shim of {@code task}; {@code timeout} is its {@code timeout_nano}, zero for none. */
  public static LooseCall send(ShimClient task, String method, MessageLite message, Duration timeout) {
    try {
      Peer peer = Peer.connect(task.socket());
      peer.send(1, Request.newBuilder().setService(task.service()).setMethod(method)
          .setPayload(message.toByteString()).setTimeoutNano(timeout.toNanos()));
      return new LooseCall(peer);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for the reply: the code and the text of its status. */
  public String status() {
    try {
      return peer.receive().status();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Vanishes. */
  @Override
  public void close() {
    try {
      peer.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
