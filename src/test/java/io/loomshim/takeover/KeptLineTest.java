package io.loomshim.takeover;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Empty;
import com.google.protobuf.StringValue;
import io.loomshim.linux.Pipe;
import io.loomshim.record.Journal;
import io.loomshim.record.MemoryRecord;
import io.loomshim.shelf.Shelf;
import io.loomshim.shelf.Slot;
import io.loomshim.ttrpc.Call;
import io.loomshim.ttrpc.Client;
import io.loomshim.ttrpc.ClosedException;
import io.loomshim.ttrpc.ErrorMapper;
import io.loomshim.ttrpc.Line;
import io.loomshim.ttrpc.Server;
import io.loomshim.ttrpc.Service;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Calls on lines that outlive a server, while that holds them back. */
class KeptLineTest {
  private static final String SERVICE = "test.Service";
  private static final Duration LONG = Duration.ofSeconds(20);

  private final CountDownLatch work = new CountDownLatch(1);
  private final CountDownLatch forEver = new CountDownLatch(1);
  private final LinkedBlockingQueue<String> begun = new LinkedBlockingQueue<>();
  private volatile Optional<Call> own = Optional.empty();
  private volatile Thread answered = Thread.currentThread();
  private Path directory;
  private Shelf shelf;
  private Server server;

  @BeforeEach
  void listen() throws Exception {
    directory = Files.createTempDirectory("line");
    shelf = Shelf.make();
    var service = new Service(SERVICE)
        .immediate("State", Empty.parser(), (call, request) -> {
          own = Optional.of(call);
          answered = Thread.currentThread();
          return StringValue.of("state");
        })
        .method("Work", Empty.parser(), (call, request) -> {
          begun.add("Work");
          work.await();
          return StringValue.of("done");
        })
        .endless("Wait", Empty.parser(), (call, request) -> {
          begun.add("Wait");
          forEver.await();
          return StringValue.of("end");
        });
    server = new Server(Estate.begin(shelf, directory.resolve("s"), Journal.NONE).door(), List.of(service),
        ErrorMapper.NONE);
    server.start();
  }

  @AfterEach
  void close() throws Exception {
    work.countDown();
    forEver.countDown();
    server.close();
    shelf.close();
    Files.deleteIfExists(directory.resolve("s"));
    Files.delete(directory);
  }

  private CompletableFuture<String> call(String method) throws Exception {
    Client client = Client.connect(directory.resolve("s"), LONG);
    return CompletableFuture.supplyAsync(() -> {
      try (client) {
        return client.call(SERVICE, method, Empty.getDefaultInstance(), StringValue.parser(), Client.NO_TIMEOUT,
            Map.of()).getValue();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }, Thread::startVirtualThread);
  }

  private Call some() throws Exception {
    assertEquals("state", call("State").get(20, TimeUnit.SECONDS));
    return own.orElseThrow();
  }

  @Test
  void callsThatHaveNotBegunAreHeldBackUntilTheyAreReleased() throws Exception {
    Call other = some();
    assertTrue(server.hold(other, LONG));
    var state = call("State");
    var later = call("Work");
    await().until(() -> server.connections() >= 2 && server.inFlight().isEmpty());
    assertFalse(state.isDone() || later.isDone());
    server.release();
    assertEquals("state", state.get(20, TimeUnit.SECONDS));
    work.countDown();
    assertEquals("done", later.get(20, TimeUnit.SECONDS));
    assertEquals("Work", begun.poll());
  }

  @Test
  void aCallThatIsAtWorkIsWaitedForAndOneThatWaitsWithoutALimitIsNot() throws Exception {
    Call other = some();
    var wait = call("Wait");
    assertEquals("Wait", begun.poll(20, TimeUnit.SECONDS));
    var atWork = call("Work");
    assertEquals("Work", begun.poll(20, TimeUnit.SECONDS));
    assertFalse(server.hold(other, Duration.ofMillis(20)));
    assertEquals("state", call("State").get(20, TimeUnit.SECONDS));
    var held = CompletableFuture.supplyAsync(() -> {
      try {
        return server.hold(other, LONG);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }, Thread::startVirtualThread);
    work.countDown();
    assertTrue(held.get(20, TimeUnit.SECONDS));
    assertEquals("done", atWork.get(20, TimeUnit.SECONDS));
    assertFalse(wait.isDone());
    server.release();
    forEver.countDown();
    assertEquals("end", wait.get(20, TimeUnit.SECONDS));
  }

  /** A handler may end when its peer has gone: no one would ever strike its reply out. */
  @Test
  void aReplyThatComesAfterTheEndOfItsConnectionIsNotKept() throws Exception {
    var journal = new MemoryRecord();
    try (Pipe pipe = Pipe.open()) {
      var line = new KeptLine(1, pipe.reader().duplicate(), Slot.NONE, CallPages.begin(Shelf.NONE),
          new CallsRecord(journal), List.of(new Line.Pending(3, new byte[] {1}, new byte[0])), Optional.empty());
      line.close();
      line.replying(3, new byte[] {2});
      assertEquals(List.of(), journal.state().kinds());
    }
  }

  /** It waits in the kernel, as that of a line that ends with its server does. */
  @Test
  void aBusyLineHasAPlatformThread() throws Exception {
    try (Client client = Client.connect(directory.resolve("s"), LONG)) {
      await().until(() -> {
        for (int i = 0; i < 200; i++) {
          client.call(SERVICE, "State", Empty.getDefaultInstance(), StringValue.parser(), LONG, Map.of());
        }
        return !answered.isVirtual();
      });
      Thread lane = answered;
      assertTrue(server.hold(own.orElseThrow(), LONG));
      var state = call("State");
      await().until(() -> server.connections() >= 2);
      server.release();
      assertEquals("state", state.get(20, TimeUnit.SECONDS));
      work.countDown();
      assertEquals("done", client.call(SERVICE, "Work", Empty.getDefaultInstance(), StringValue.parser(), LONG,
          Map.of()).getValue());
      lane.join();
    }
  }

  /** What is held back outlives this server: another one that has the line reads it. */
  @Test
  void aClientWhoseCallIsHeldBackSeesTheEndOfTheConnection() throws Exception {
    Call other = some();
    assertTrue(server.hold(other, LONG));
    await().until(() -> server.connections() == 0); // the other one has gone
    var state = call("State");
    await().until(() -> server.connections() == 1);
    server.close();
    server.release();
    var problem = assertThrows(ExecutionException.class, () -> state.get(20, TimeUnit.SECONDS));
    assertTrue(problem.getCause().getCause() instanceof ClosedException, problem.toString());
  }
}
