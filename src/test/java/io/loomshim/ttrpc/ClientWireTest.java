package io.loomshim.ttrpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.BytesValue;
import com.google.protobuf.Empty;
import com.google.protobuf.StringValue;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.ttrpc.Request;
import io.loomshim.proto.ttrpc.Response;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The client against a server whose every byte is chosen here. */
@Timeout(60)
class ClientWireTest {
  private Path directory;
  private Path socket;
  private ServerSocketChannel listener;
  private Client client;
  private Peer server;

  @BeforeEach
  void open() throws Exception {
    directory = Files.createTempDirectory("ttrpc");
    socket = directory.resolve("s");
    listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listener.bind(UnixDomainSocketAddress.of(socket));
    client = Client.connect(socket, Stand.LONG);
    server = new Peer(listener.accept());
  }

  @AfterEach
  void close() throws Exception {
    client.close();
    server.close();
    listener.close();
    Files.delete(socket);
    Files.delete(directory);
  }

  private CompletableFuture<String> call(String text, Duration timeout) {
    var result = new CompletableFuture<String>();
    Threads.start("caller", () -> {
      try {
        result.complete(client.call("s", "m", Stand.text(text), StringValue.parser(), timeout, Stand.NO_METADATA)
            .getValue());
      } catch (Exception e) {
        result.completeExceptionally(e);
      }
    });
    return result;
  }

  private static Throwable failure(CompletableFuture<String> call) {
    return assertThrows(CompletionException.class, call::join).getCause();
  }

  private void reply(long id, String text) throws IOException {
    server.bytes(Frame.reply(id, Stand.text(text)));
  }

  @Test
  void idsAreOddAndIncreaseOnTheWire() throws Exception {
    for (long id = 1; id < 1000; id += 2) {
      var call = call("" + id, Client.NO_TIMEOUT);
      Peer.Reply frame = server.receive();
      assertEquals(id, frame.id());
      assertEquals(1, frame.type());
      assertEquals(0, frame.flags());
      Request request = Request.parseFrom(frame.data());
      reply(id, "to " + StringValue.parseFrom(request.getPayload()).getValue());
      assertEquals("to " + id, call.join());
    }
  }

  @Test
  void theServerLearnsTheTimeout() throws Exception {
    var first = call("x", Duration.ofSeconds(5));
    assertEquals(5_000_000_000L, Request.parseFrom(server.receive().data()).getTimeoutNano());
    reply(1, "in time");
    first.join();
    call("x", Client.NO_TIMEOUT);
    assertEquals(0, Request.parseFrom(server.receive().data()).getTimeoutNano());
  }

  @Test
  void framesThatAreNoReplyToTheCallAreIgnored() throws Exception {
    var first = call("a", Client.NO_TIMEOUT);
    server.receive();
    reply(77, "nobody");
    server.send(1, 3, new byte[5]);
    server.send(77, 2, new byte[Frame.DATA_BYTES_MAX + 1]);
    reply(1, "first");
    assertEquals("first", first.join());
    var second = call("b", Client.NO_TIMEOUT);
    server.receive();
    reply(1, "again");
    reply(3, "second");
    assertEquals("second", second.join());
  }

  @Test
  void aTimeoutEndsTheConnection() throws Exception {
    var late = call("a", Duration.ofMillis(20));
    server.receive();
    assertEquals(Code.DEADLINE_EXCEEDED, ((StatusException) failure(late)).code());
    assertTrue(server.ended());
    assertEquals("ttrpc: closed", ((ClosedException) failure(call("b", Client.NO_TIMEOUT))).getMessage());
  }

  @Test
  void anOverLongReplyFailsThatCallOnly() throws Exception {
    var call = call("a", Client.NO_TIMEOUT);
    server.receive();
    server.send(1, 2, new byte[Frame.DATA_BYTES_MAX + 1]);
    var error = (StatusException) failure(call);
    assertEquals(Code.RESOURCE_EXHAUSTED, error.code());
    assertEquals("message length 4194305 exceed maximum message size of 4194304", error.getMessage());
    var next = call("b", Client.NO_TIMEOUT);
    server.receive();
    reply(3, "next");
    assertEquals("next", next.join());
  }

  @Test
  void aReplyThatIsNoMessageFailsThatCallOnly() throws Exception {
    var call = call("a", Client.NO_TIMEOUT);
    server.receive();
    server.send(1, 2, new byte[] {0x12, 0x7f});
    assertEquals(Code.INTERNAL, ((StatusException) failure(call)).code());
    call = call("a", Client.NO_TIMEOUT);
    server.receive();
    var payload = ByteString.copyFrom(new byte[] {0x0a, 0x7f});
    server.send(3, 2, Response.newBuilder().setPayload(payload).build().toByteArray());
    assertEquals(Code.INTERNAL, ((StatusException) failure(call)).code());
  }

  @Test
  void aCodeThatWeDoNotKnowIsUnknown() throws Exception {
    var call = call("a", Client.NO_TIMEOUT);
    server.receive();
    var status = io.loomshim.proto.ttrpc.Status.newBuilder().setCode(16).setMessage("who are you");
    server.send(1, 2, Response.newBuilder().setStatus(status).build().toByteArray());
    var error = (StatusException) failure(call);
    assertEquals(Code.UNKNOWN, error.code());
    assertEquals("who are you", error.getMessage());
  }

  @Test
  void theEndOfTheConnectionEndsTheCall() throws Exception {
    var sent = call("a", Client.NO_TIMEOUT);
    server.receive();
    server.header(100, 1, 2);
    server.bytes(new byte[50]); // half a reply
    server.close();
    assertEquals("ttrpc: closed", ((ClosedException) failure(sent)).getMessage());
    assertTrue(client.closed());
  }

  @Test
  void aCallThatWaitsForAServerThatNeverReadsKeepsItsTimeout() {
    var large = BytesValue.of(Peer.zeros(Frame.DATA_BYTES_MAX - 100));
    var error = assertThrows(StatusException.class, () -> client.call("s", "m", large, Empty.parser(),
        Duration.ofMillis(50), Stand.NO_METADATA));
    assertEquals(Code.DEADLINE_EXCEEDED, error.code());
    assertTrue(client.closed());
  }

  @Test
  void aHalfReadReplyIsNeverTakenForTheNextOne() throws Exception {
    var late = call("a", Duration.ofMillis(100));
    server.receive();
    server.header(100, 1, 2);
    server.bytes(new byte[50]);
    assertEquals(Code.DEADLINE_EXCEEDED, ((StatusException) failure(late)).code());
    assertTrue(failure(call("b", Client.NO_TIMEOUT)) instanceof ClosedException);
  }

  @Test
  void aSocketThatAppearsWithinTheTimeoutIsConnectedTo() throws Exception {
    Path later = directory.resolve("later");
    var connected = new CompletableFuture<Client>();
    Threads.start("dial", () -> {
      try {
        connected.complete(Client.connect(later, Stand.LONG));
      } catch (IOException e) {
        connected.completeExceptionally(e);
      }
    });
    try (var late = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      // between bind(2) and listen(2) it would refuse, as a dead one does
      Path early = directory.resolve("early");
      late.bind(UnixDomainSocketAddress.of(early));
      Files.move(early, later);
      connected.join().close();
    }
    Files.delete(later);
  }

  @Test
  void aMissingSocketFailsAfterTheTimeoutAndADeadOneAtOnce() throws Exception {
    assertThrows(IOException.class, () -> Client.connect(directory.resolve("none"), Duration.ofMillis(30)));
    Path dead = directory.resolve("dead");
    var closed = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    closed.bind(UnixDomainSocketAddress.of(dead));
    closed.close();
    long start = System.nanoTime();
    assertThrows(IOException.class, () -> Client.connect(dead, Stand.LONG));
    assertTrue(Duration.ofNanos(System.nanoTime() - start).compareTo(Stand.LONG) < 0);
    Files.delete(dead);
  }
}
