package io.loomshim.bench.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StateResponse;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.proto.ttrpc.Response;
import io.loomshim.proto.ttrpc.Status;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ConnectionTest {
  private static final Duration LONG = Duration.ofSeconds(50);

  @TempDir Path directory;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private ServerSocketChannel server;
  private Connection connection;
  private SocketChannel shim;

  /** A request as it has arrived. */
  private record Arrived(int stream, Request request) {
    String id() throws IOException {
      return StateRequest.parseFrom(request.getPayload()).getId();
    }
  }

  @BeforeEach
  void connect() throws Exception {
    Path socket = directory.resolve("s");
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(socket));
    connection = Connection.open(socket);
    shim = server.accept();
  }

  @AfterEach
  void close() throws Exception {
    connection.close();
    shim.close();
    server.close();
    threads.close();
  }

  private Future<StateResponse> state(String id, Duration limit) {
    var request = StateRequest.newBuilder().setId(id).build();
    return threads.submit(() -> connection.call("State", request, StateResponse.parser(), limit));
  }

  private Arrived next() throws IOException {
    ByteBuffer header = filled(Frame.HEADER_BYTES);
    return new Arrived(header.getInt(Frame.STREAM_OFFSET), Request.parseFrom(filled(header.getInt(0))));
  }

  private ByteBuffer filled(int bytes) throws IOException {
    var buffer = ByteBuffer.allocate(bytes);
    while (buffer.hasRemaining() && shim.read(buffer) >= 0) {}
    return buffer.flip();
  }

  private void answer(int stream, Response response) throws IOException {
    ByteString data = response.toByteString();
    var frame = ByteBuffer.allocate(Frame.HEADER_BYTES + data.size());
    frame.putInt(data.size()).putInt(stream).put((byte) 2).put((byte) 0).put(data.toByteArray()).flip();
    while (frame.hasRemaining()) {
      // in two pieces
      frame.limit(Math.min(frame.capacity(), frame.position() + 7));
      shim.write(frame);
    }
    frame.limit(frame.capacity());
    while (frame.hasRemaining()) {
      shim.write(frame);
    }
  }

  private static Response named(String id) {
    return Response.newBuilder().setPayload(StateResponse.newBuilder().setId(id).build().toByteString()).build();
  }

  @Test
  void manyCallsAtOnceGetTheirOwnAnswersInAnyOrder() throws Exception {
    var calls = new ArrayList<Future<StateResponse>>();
    for (int i = 0; i < 20; i++) {
      calls.add(state("c" + i, LONG));
    }
    var arrived = new ArrayList<Arrived>();
    for (int i = 0; i < calls.size(); i++) {
      arrived.add(next());
    }
    assertEquals(List.of(1, 3, 5), arrived.stream().map(Arrived::stream).toList().subList(0, 3));
    for (Arrived each : arrived.reversed()) {
      answer(each.stream(), named(each.id()));
    }
    for (int i = 0; i < calls.size(); i++) {
      assertEquals("c" + i, calls.get(i).get().getId());
    }
  }

  @Test
  void theShimIsToldServiceMethodAndLimit() throws Exception {
    Future<StateResponse> call = state("c", LONG);
    Arrived arrived = next();
    assertEquals("containerd.task.v2.Task", arrived.request().getService());
    assertEquals("State", arrived.request().getMethod());
    assertEquals(LONG.toNanos(), arrived.request().getTimeoutNano());
    answer(arrived.stream(), named("c"));
    call.get();
  }

  @Test
  void anErrorHasItsCodeAndText() throws Exception {
    Future<StateResponse> call = state("c", LONG);
    answer(next().stream(), Response.newBuilder().setStatus(Status.newBuilder().setCode(5).setMessage("no c")).build());
    var error = assertThrows(ExecutionException.class, call::get).getCause();
    assertTrue(error instanceof CallException, error.toString());
    assertEquals("NOT_FOUND: no c", error.getMessage());
  }

  @Test
  void aCallThatGetsNoAnswerEndsAtItsLimitAndTheConnectionGoesOn() throws Exception {
    var error = assertThrows(ExecutionException.class, state("late", Duration.ofMillis(20))::get).getCause();
    assertTrue(error.getMessage().startsWith("DEADLINE_EXCEEDED: "), error.toString());
    int late = next().stream();
    Future<StateResponse> call = state("c", LONG);
    int stream = next().stream();
    answer(late, named("late"));
    answer(stream, named("c"));
    assertEquals("c", call.get().getId());
  }

  @Test
  void aShimThatGoesEndsEveryCall() throws Exception {
    Future<StateResponse> one = state("one", LONG);
    Future<StateResponse> two = state("two", LONG);
    next();
    next();
    shim.close();
    for (Future<StateResponse> call : List.of(one, two)) {
      assertTrue(assertThrows(ExecutionException.class, call::get).getCause() instanceof ClosedException);
    }
    assertTrue(assertThrows(ExecutionException.class, state("three", LONG)::get).getCause() instanceof ClosedException);
  }
}
