package io.loomshim.ttrpc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.BytesValue;
import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import com.google.protobuf.StringValue;
import io.loomshim.threads.Threads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ClientTest {
  private Stand stand;
  private Client client;

  @BeforeEach
  void open() throws Exception {
    stand = new Stand();
    client = stand.client();
  }

  @AfterEach
  void close() throws Exception {
    client.close();
    stand.close();
  }

  private String call(String method, MessageLite request, Duration timeout) throws Exception {
    return client.call(Stand.SERVICE, method, request, StringValue.parser(), timeout, Stand.NO_METADATA).getValue();
  }

  private void assertAlive() throws Exception {
    assertEquals("3", call("Size", BytesValue.of(Peer.zeros(3)), Stand.LONG));
  }

  @Test
  void aReplyOfLengthZeroIsAnEmptyMessage() throws Exception {
    assertEquals("", call("Nothing", Empty.getDefaultInstance(), Client.NO_TIMEOUT));
  }

  @Test
  void metadataArrives() throws Exception {
    var metadata = Map.of("containerd-namespace-ttrpc", "default");
    var key = Stand.text("containerd-namespace-ttrpc");
    var reply = client.call(Stand.SERVICE, "Metadata", key, StringValue.parser(), Stand.LONG, metadata);
    assertEquals("[default]", reply.getValue());
  }

  @Test
  void anErrorStatusIsThrown() throws Exception {
    stand.failure = () -> {
      throw new StatusException(Code.FAILED_PRECONDITION, "not yet");
    };
    var error = assertThrows(StatusException.class, () -> call("Fail", Empty.getDefaultInstance(), Stand.LONG));
    assertEquals(Code.FAILED_PRECONDITION, error.code());
    assertEquals("not yet", error.getMessage());
    assertAlive();
  }

  @Test
  void aLateCallFailsHereAndIsInterruptedThere() throws Exception {
    var error = assertThrows(StatusException.class, () -> call("Hold", Stand.text("x"), Duration.ofMillis(50)));
    assertEquals(Code.DEADLINE_EXCEEDED, error.code());
    assertTrue(stand.interrupted.take().remaining().isPresent());
    assertAlive();
  }

  @Test
  void aNegativeTimeoutHasPassed() {
    assertEquals(Code.DEADLINE_EXCEEDED, assertThrows(StatusException.class,
        () -> call("Nothing", Empty.getDefaultInstance(), Duration.ofNanos(-1))).code());
  }

  @Test
  void theLongestTimeoutIsNoProblem() throws Exception {
    assertEquals("", call("Nothing", Empty.getDefaultInstance(), Duration.ofSeconds(Long.MAX_VALUE)));
  }

  @Test
  void aRequestOverTheLimitIsNotSent() throws Exception {
    var large = BytesValue.of(Peer.zeros(Frame.DATA_BYTES_MAX));
    var error = assertThrows(StatusException.class, () -> call("Size", large, Stand.LONG));
    assertEquals(Code.RESOURCE_EXHAUSTED, error.code());
    assertAlive();
  }

  @Test
  void anInterruptedCallerGetsAnInterruptAndTheConnectionSurvives() throws Exception {
    var ends = new ConcurrentLinkedQueue<String>();
    List<Thread> callers = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      Runnable caller = () -> {
        try {
          ends.add(call("Hold", Stand.text("x"), Stand.LONG));
        } catch (Exception e) {
          ends.add(e.getClass().getSimpleName());
        }
      };
      callers.add(i % 2 == 0 ? Threads.start("caller", caller) : Threads.startPlatform("caller", caller));
    }
    await().until(() -> stand.server.inFlight().size() == 20);
    for (Thread caller : callers) {
      caller.interrupt();
      caller.join();
    }
    assertEquals(20, ends.stream().filter("InterruptedException"::equals).count(), ends.toString());
    assertAlive();
  }

  /** Interrupts that arrive at any moment of a call, be it while its frame is written. */
  @Test
  void interruptsAtAnyMomentNeverCloseTheConnection() throws Exception {
    long seed = Seed.of("interruptsAtAnyMomentNeverCloseTheConnection");
    var random = new java.util.Random(seed);
    var request = BytesValue.of(Peer.zeros(200_000));
    for (int i = 0; i < 300; i++) {
      var end = new CountDownLatch(1);
      Thread caller = Threads.startPlatform("caller", () -> {
        try {
          call("Size", request, Stand.LONG);
          call("Size", request, Stand.LONG);
        } catch (InterruptedException e) {
          // one of the two ends of this race
        } catch (Exception e) {
          throw new AssertionError(e);
        } finally {
          end.countDown();
        }
      });
      java.util.concurrent.locks.LockSupport.parkNanos(random.nextInt(600_000));
      caller.interrupt();
      end.await();
      assertFalse(client.closed());
    }
    assertAlive();
  }

  @Test
  void manyCallersShareOneConnection() throws Exception {
    var failures = new ConcurrentLinkedQueue<Throwable>();
    List<Thread> callers = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      int size = i * 37;
      callers.add(Threads.start("caller", () -> {
        try {
          for (int j = 0; j < 100; j++) {
            assertEquals("" + (size + j), call("Size", BytesValue.of(Peer.zeros(size + j)), Stand.LONG));
          }
        } catch (Throwable e) {
          failures.add(e);
        }
      }));
    }
    for (Thread caller : callers) {
      caller.join();
    }
    assertEquals(List.of(), List.copyOf(failures));
  }

  @Test
  void callsInFlightEndWhenThePeerGoes() throws Exception {
    var end = new ConcurrentLinkedQueue<String>();
    Thread caller = Threads.start("caller", () -> {
      try {
        call("Hold", Stand.text("x"), Client.NO_TIMEOUT);
      } catch (Exception e) {
        end.add(e.getClass().getSimpleName() + " " + e.getMessage());
      }
    });
    await().until(() -> stand.server.inFlight().size() == 1);
    stand.server.close();
    caller.join();
    assertEquals(List.of("ClosedException ttrpc: closed"), List.copyOf(end));
    assertTrue(client.closed());
    assertThrows(ClosedException.class, this::assertAlive);
  }

  @Test
  void aClosedClientIsClosedForGood() {
    client.close();
    client.close();
    assertTrue(client.closed());
    assertEquals("ttrpc: closed", assertThrows(ClosedException.class, this::assertAlive).getMessage());
    await().until(() -> stand.server.connections() == 0);
  }
}
