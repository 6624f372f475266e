package io.loomshim.event;

import com.google.protobuf.Empty;
import io.loomshim.proto.events.Envelope;
import io.loomshim.proto.events.ForwardRequest;
import io.loomshim.proto.events.TaskStart;
import io.loomshim.ttrpc.Call;
import io.loomshim.ttrpc.Server;
import io.loomshim.ttrpc.Service;
import io.loomshim.ttrpc.SocketDoor;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** containerd's event service behind a real ttrpc server: it writes down what it acknowledges. */
final class EventPeer implements AutoCloseable {
  /** What to do before an event is written down: refuse it by throwing, or hold it up. */
  interface Behaviour {
    void before(Envelope envelope) throws Exception;
  }

  final List<Envelope> acknowledged = new CopyOnWriteArrayList<>();
  final List<String> namespaces = new CopyOnWriteArrayList<>();
  private final Path socket;
  private volatile Behaviour behaviour = envelope -> { };
  private Optional<Server> server = Optional.empty();

  EventPeer(Path socket) {
    this.socket = socket;
  }

  void behave(Behaviour behaviour) {
    this.behaviour = behaviour;
  }

  void start() throws IOException {
    var service = new Service("containerd.services.events.ttrpc.v1.Events");
    service.method("Forward", ForwardRequest.parser(), this::forward);
    var started = new Server(SocketDoor.listen(socket), List.of(service));
    started.start();
    server = Optional.of(started);
  }

  static ServerSocketChannel listen(Path socket) throws IOException {
    Files.deleteIfExists(socket);
    var listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listener.bind(UnixDomainSocketAddress.of(socket));
    return listener;
  }

  private Empty forward(Call call, ForwardRequest request) throws Exception {
    behaviour.before(request.getEnvelope());
    acknowledged.add(request.getEnvelope());
    namespaces.addAll(call.metadata("containerd-namespace-ttrpc"));
    return Empty.getDefaultInstance();
  }

  int connections() {
    return server.orElseThrow().connections();
  }

  /** Ends the server and its connections; the socket file goes as well. */
  @Override
  public void close() throws IOException {
    if (server.isPresent()) {
      server.get().close();
      server = Optional.empty();
    }
    Files.deleteIfExists(socket);
  }

  /** The pids of the TaskStart events, which tests use as numbers. */
  List<Integer> numbers() {
    return acknowledged.stream().filter(e -> e.getTopic().equals("/tasks/start")).map(EventPeer::number).toList();
  }

  static int number(Envelope envelope) {
    try {
      return TaskStart.parseFrom(envelope.getEvent().getValue()).getPid();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
