package io.loomshim.ttrpc;

import static org.awaitility.Awaitility.await;

import com.google.protobuf.BytesValue;
import com.google.protobuf.Empty;
import com.google.protobuf.StringValue;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.metrics.Subject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;

/** A real server on a real socket with a service for tests. Closing it checks that no connection or call stays. */
final class Stand implements AutoCloseable {
  static final String SERVICE = "test.Service";
  static final Duration LONG = Duration.ofSeconds(20);
  static final Map<String, String> NO_METADATA = Map.of();

  /** What a handler throws, for method Fail. */
  interface Failure {
    void run() throws Throwable;
  }

  final Path directory;
  final Path socket;
  final Server server;

  /** Opens for handlers of method Hold, which wait for it. */
  final CountDownLatch release = new CountDownLatch(1);

  /** One element for each interrupted Hold. */
  final LinkedBlockingQueue<Call> interrupted = new LinkedBlockingQueue<>();

  /** What method Fail does. */
  volatile Failure failure = () -> {};

  Stand() throws IOException {
    this(ErrorMapper.NONE);
  }

  Stand(ErrorMapper mapper) throws IOException {
    this(mapper, Optional.empty());
  }

  /** A stand that logs calls that are in flight for longer than {@code stuckAfter}. */
  Stand(ErrorMapper mapper, Optional<Duration> stuckAfter) throws IOException {
    directory = Files.createTempDirectory("ttrpc");
    socket = directory.resolve("s");
    server = new Server(SocketDoor.listen(socket), List.of(service()), mapper);
    stuckAfter.ifPresent(server::logStuckAfter);
    server.start();
  }

  private Service service() {
    return new Service(SERVICE)
        .method("Echo", BytesValue.parser(), (call, request) -> request)
        .method("Size", BytesValue.parser(), (call, request) -> text("" + request.getValue().size()))
        .method("Zeros", StringValue.parser(), (call, request) ->
            BytesValue.of(Peer.zeros(Integer.parseInt(request.getValue()))))
        .method("Nothing", Empty.parser(), (call, request) -> Empty.getDefaultInstance())
        .immediate("Thread", Empty.parser(), (call, request) -> text(call.threadName() + " " + call.thread.threadId()))
        .immediate("Refuse", Empty.parser(), (call, request) -> {
          throw new StatusException(Code.NOT_FOUND, "no such thing");
        })
        .immediate("Stick", StringValue.parser(), this::hold)
        .method("Null", Empty.parser(), (call, request) -> null)
        .method("Metadata", StringValue.parser(), (call, request) ->
            text(call.metadata(request.getValue()).toString()))
        .method("Hold", StringValue.parser(), this::hold)
        .endless("Watch", StringValue.parser(), this::hold)
        .method("Fail", Empty.parser(), this::fail);
  }

  private StringValue hold(Call call, StringValue request) throws InterruptedException {
    if (!request.getValue().isEmpty()) {
      String[] words = request.getValue().split("/", 2);
      call.serves(Subject.of(words[0], words.length < 2 ? "" : words[1]));
    }
    try {
      release.await();
      return request;
    } catch (InterruptedException e) {
      interrupted.add(call);
      throw e;
    }
  }

  private Empty fail(Call call, Empty request) throws Exception {
    try {
      failure.run();
    } catch (Exception | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
    return request;
  }

  static StringValue text(String text) {
    return StringValue.of(text);
  }

  Client client() throws IOException {
    return Client.connect(socket, LONG);
  }

  Peer peer() throws IOException {
    return Peer.connect(socket);
  }

  /** Tells whether the thread for deadlines sleeps with a timer. */
  boolean timed() {
    return server.deadlines().thread().filter(t -> t.getState() == Thread.State.TIMED_WAITING).isPresent();
  }

  /** Fails unless a new connection is served. */
  void assertServes() throws Exception {
    try (Client client = client()) {
      var bytes = BytesValue.of(Peer.zeros(3));
      var reply = client.call(SERVICE, "Echo", bytes, BytesValue.parser(), LONG, NO_METADATA);
      org.junit.jupiter.api.Assertions.assertEquals(bytes, reply);
    }
  }

  @Override
  public void close() throws IOException {
    release.countDown();
    server.close();
    Files.delete(socket);
    Files.delete(directory);
    await().until(() -> server.inFlight().isEmpty() && server.connections() == 0);
    await().until(() -> server.deadlines().pending() == 0 || server.stuck().isPresent());
  }
}
