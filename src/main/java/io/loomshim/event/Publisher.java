package io.loomshim.event;

import com.google.protobuf.Empty;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.events.Envelope;
import io.loomshim.proto.events.ForwardRequest;
import io.loomshim.ttrpc.Client;
import io.loomshim.ttrpc.ClosedException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Forwards events to containerd over one connection. The first event opens it, and the next event after a loss opens
 * another. Used only by the thread of the outbox; no lock.
 */
final class Publisher implements AutoCloseable {
  /** For one attempt, the same as in containerd's own shims: containerd answers within milliseconds, or hangs. */
  static final Duration CALL_TIMEOUT = Duration.ofSeconds(5);

  private static final String SERVICE = "containerd.services.events.ttrpc.v1.Events";
  private static final String METHOD = "Forward";
  private static final String NAMESPACE_KEY = "containerd-namespace-ttrpc";
  private static final String UNIX = "unix://";

  private final Path socket;
  private final Duration timeout;
  private final Map<String, String> metadata;
  private Optional<Client> client = Optional.empty();

  /** Publishes for {@code namespace} at {@code address}, the path of a socket, with or without unix:// before it. */
  Publisher(String address, String namespace, Duration timeout) {
    this.socket = Path.of(address.startsWith(UNIX) ? address.substring(UNIX.length()) : address);
    this.timeout = timeout;
    this.metadata = Map.of(NAMESPACE_KEY, namespace);
  }

  /**
   * Makes one attempt. When the connection of an earlier call turns out to be closed, it makes one more on a new
   * connection. Returns when containerd has acknowledged the event.
   *
   * @throws StatusException the error that containerd answered; DEADLINE_EXCEEDED when no answer came in time
   * @throws IOException when there is no connection, or it broke before the answer
   */
  void publish(Envelope envelope) throws IOException, InterruptedException {
    var request = ForwardRequest.newBuilder().setEnvelope(envelope).build();
    if (client.isPresent()) {
      try {
        forward(client.get(), request);
        return;
      } catch (ClosedException e) {
        close(); // containerd has ended since the last event
      }
    }
    Client fresh = Client.connect(socket, Duration.ZERO);
    client = Optional.of(fresh);
    forward(fresh, request);
  }

  private void forward(Client client, ForwardRequest request) throws IOException, InterruptedException {
    try {
      client.call(SERVICE, METHOD, request, Empty.parser(), timeout, metadata);
    } catch (ClosedException e) {
      close();
      throw e;
    } catch (StatusException e) {
      if (e.code() == Code.DEADLINE_EXCEEDED) {
        close(); // the next attempt begins on a new connection
      }
      throw e;
    }
  }

  /** Closes the connection, if there is one; a later event opens a new one. */
  @Override
  public void close() {
    if (client.isPresent()) {
      client.get().close();
      client = Optional.empty();
    }
  }
}
