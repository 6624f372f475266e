package io.loomshim.ttrpc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Empty;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Which thread answers what need not wait. */
@Timeout(60)
class LaneTest {
  private static final String SERVICE = "s";

  @TempDir Path directory;
  private volatile Thread answered = Thread.currentThread();
  private final CountDownLatch held = new CountDownLatch(1);

  private Service service() {
    var service = new Service(SERVICE);
    service.immediate("Now", Empty.parser(), (call, request) -> {
      answered = Thread.currentThread();
      return request;
    });
    service.prompt("Perhaps", Empty.parser(), (call, request) -> {
      answered = Thread.currentThread();
      return held.getCount() > 0 ? Optional.empty() : Optional.of(request);
    }, (call, request) -> {
      answered = Thread.currentThread();
      held.await();
      return request;
    });
    return service;
  }

  private Server serve() throws Exception {
    var server = new Server(SocketDoor.listen(directory.resolve("s")), List.of(service()));
    server.start();
    return server;
  }

  private Client connect() throws Exception {
    return Client.connect(directory.resolve("s"), Duration.ofSeconds(20));
  }

  private static void call(Client client, String method) throws Exception {
    client.call(SERVICE, method, Empty.getDefaultInstance(), Empty.parser(), Duration.ofSeconds(20), Map.of());
  }

  /** Calls until a platform thread has answered; on a loaded machine a row may be interrupted. */
  private void makeBusy(Client client) {
    await().until(() -> {
      for (int i = 0; i < 2 * Lane.CALLS_MIN; i++) {
        call(client, "Now");
      }
      return !answered.isVirtual();
    });
  }

  @Test
  void aBusyConnectionHasAPlatformThreadUntilACallMayWait() throws Exception {
    try (var server = serve(); Client client = connect(); Client other = connect()) {
      call(client, "Now");
      assertTrue(answered.isVirtual());
      makeBusy(client);
      Thread lane = answered;
      Thread waits = Thread.ofVirtual().start(() -> {
        try {
          call(client, "Perhaps");
        } catch (Exception e) {
          throw new AssertionError(e);
        }
      });
      await().until(() -> server.inFlight().size() == 1);
      call(other, "Now");
      assertTrue(answered.isVirtual());
      held.countDown();
      waits.join();
      lane.join();
      call(client, "Perhaps");
      call(client, "Now");
      assertTrue(answered.isVirtual());
      makeBusy(other); // the one thread is free again
    }
  }

  @Test
  void connectionsThatAreBusyTogetherHaveVirtualThreads() throws Exception {
    try (var server = serve(); Client client = connect(); Client other = connect()) {
      assertTrue(server.connections() >= 0);
      makeBusy(client);
      Thread lane = answered;
      await().until(() -> {
        boolean virtual = true;
        for (int i = 0; i < 2 * Lane.CALLS_MIN; i++) {
          call(other, "Now");
          virtual &= answered.isVirtual();
          call(client, "Now");
        }
        return virtual && answered.isVirtual();
      });
      lane.join();
    }
  }

  @Test
  void whatAnAttemptLeavesHasAThreadOfItsOwnAndTheConnectionIsReadOn() throws Exception {
    try (var server = serve(); Client client = connect()) {
      assertTrue(server.connections() >= 0);
      Thread waits = Thread.ofVirtual().start(() -> {
        try {
          call(client, "Perhaps");
        } catch (Exception e) {
          throw new AssertionError(e);
        }
      });
      await().until(() -> server.inFlight().size() == 1);
      Thread first = answered;
      held.countDown();
      waits.join();
      call(client, "Perhaps");
      assertTrue(answered != first);
    }
  }
}
