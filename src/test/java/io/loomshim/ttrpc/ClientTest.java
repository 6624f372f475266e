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
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.testing.Seeded;
import io.loomshim.threads.Threads;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
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
  void metadataArrivesWithTheCall() throws Exception {
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
    assertTrue(client.closed());
    assertThrows(ClosedException.class, this::assertAlive);
    await().until(() -> stand.server.connections() == 0);
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
  void aCallBeforeItsDeadlineLeavesNoTimerBehindThatEndsALaterOne() throws Exception {
    for (int i = 0; i < 20; i++) {
      call("Nothing", Empty.getDefaultInstance(), Duration.ofMillis(200));
    }
    await().during(Duration.ofMillis(300)).until(() -> !client.closed());
    assertAlive();
  }

  /** A call whose time ends just when its reply comes has one of the two ends, and the next one finds out which. */
  @Test
  void atItsDeadlineACallIsAnsweredOrLateAndNeverHangs() throws Exception {
    var random = Seeded.random("atItsDeadlineACallIsAnsweredOrLateAndNeverHangs");
    int late = 0;
    for (int i = 0; i < 500; i++) {
      try {
        call("Nothing", Empty.getDefaultInstance(), Duration.ofNanos(20_000 + random.nextInt(300_000)));
      } catch (StatusException e) {
        assertEquals(Code.DEADLINE_EXCEEDED, e.code());
        late++;
      } catch (ClosedException e) {
        // by the timer of the call before, which was answered
      }
      if (client.closed()) {
        client.close();
        client = stand.client();
      }
    }
    assertTrue(late > 0 && late < 500, late + " of 500 were late");
    client.close();
    client = stand.client();
    assertAlive();
  }

  @Test
  void anInterruptedCallerGetsAnInterruptAndTheConnectionIsGone() throws Exception {
    for (boolean virtual : new boolean[] {true, false}) {
      var ends = new ConcurrentLinkedQueue<String>();
      Runnable call = () -> {
        try {
          ends.add(call("Hold", Stand.text("x"), Stand.LONG));
        } catch (Exception e) {
          ends.add(e.getClass().getSimpleName() + " " + Thread.currentThread().isInterrupted());
        }
      };
      Thread caller = virtual ? Threads.start("caller", call) : Threads.startPlatform("caller", call);
      await().until(() -> stand.server.inFlight().size() == 1);
      caller.interrupt();
      caller.join();
      assertEquals(List.of("InterruptedException false"), List.copyOf(ends));
      assertTrue(client.closed());
      stand.interrupted.take();
      client = stand.client();
      assertAlive();
    }
  }

  @Test
  void anInterruptThatCameBeforeTheCallLeavesTheConnectionAlone() throws Exception {
    Thread.currentThread().interrupt();
    assertThrows(InterruptedException.class, this::assertAlive);
    assertFalse(Thread.interrupted());
    assertAlive();
  }

  /** Interrupts that arrive at any moment of a call, be it while its frame is written. */
  @Test
  void anInterruptAtAnyMomentIsToldOrKeptAndNothingElseGoesWrong() throws Exception {
    var random = Seeded.random("anInterruptAtAnyMomentIsToldOrKeptAndNothingElseGoesWrong");
    var request = BytesValue.of(Peer.zeros(200_000));
    var told = new AtomicInteger();
    var others = new ConcurrentLinkedQueue<Exception>();
    for (int i = 0; i < 300; i++) {
      Thread caller = Threads.startPlatform("caller", () -> {
        try {
          call("Size", request, Stand.LONG);
          call("Size", request, Stand.LONG);
        } catch (InterruptedException e) {
          told.incrementAndGet();
        } catch (Exception e) {
          others.add(e);
        }
      });
      LockSupport.parkNanos(random.nextInt(600_000));
      caller.interrupt();
      caller.join();
      assertEquals(List.of(), List.copyOf(others));
      if (client.closed()) {
        client.close();
        client = stand.client();
      }
    }
    assertTrue(told.get() > 0);
    assertAlive();
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
