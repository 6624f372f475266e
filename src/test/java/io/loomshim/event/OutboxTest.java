package io.loomshim.event;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.events.TaskExit;
import io.loomshim.proto.events.TaskOOM;
import io.loomshim.proto.events.TaskStart;
import io.loomshim.record.Change;
import io.loomshim.record.Journal;
import io.loomshim.record.Kinds;
import io.loomshim.record.MemoryRecord;
import io.loomshim.record.Saved;
import io.loomshim.ttrpc.SocketDoor;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class OutboxTest {
  private static final Duration STEP = Duration.ofMillis(10);
  private static final Duration NONE = Duration.ZERO;

  @TempDir Path dir;
  private Path socket;
  private EventPeer peer;
  private Outbox outbox;

  @BeforeEach
  void startBoth() throws Exception {
    socket = dir.resolve("containerd.sock.ttrpc");
    peer = new EventPeer(socket);
    outbox = outbox(Duration.ofSeconds(30));
  }

  @AfterEach
  void endBoth() throws Exception {
    outbox.close(NONE);
    peer.close();
    assertFalse(outbox.thread().isPresent() && outbox.thread().get().isAlive());
  }

  private Outbox outbox(Duration timeout) {
    return Outbox.start("ns", new Publisher(socket.toString(), "ns", timeout), STEP, Journal.NONE, List.of());
  }

  /** For a test that needs another timeout than the outbox at hand has. */
  private void replaceOutbox(Duration timeout) {
    outbox.close(NONE);
    outbox = outbox(timeout);
  }

  private static TaskStart numbered(int number) {
    return TaskStart.newBuilder().setContainerId("web-1").setPid(number).build();
  }

  private void addNumbers(int from, int end) {
    for (int i = from; i < end; i++) {
      outbox.add(numbered(i));
    }
  }

  private static List<Integer> numbers(int end) {
    return IntStream.range(0, end).boxed().toList();
  }

  private void awaitNumbers(int end) {
    await().atMost(Duration.ofSeconds(30)).until(() -> outbox.counters().queued() == 0);
    assertEquals(numbers(end), peer.numbers());
  }

  @Test
  void anEventArrivesWithItsNamespaceTopicAndTime() throws Exception {
    peer.start();
    Instant before = Instant.now();
    outbox.add(TaskOOM.newBuilder().setContainerId("web-1").build());
    await().until(() -> outbox.counters().sent() == 1);
    var envelope = peer.acknowledged.getFirst();
    assertEquals("ns", envelope.getNamespace());
    assertEquals("/tasks/oom", envelope.getTopic());
    assertEquals("containerd.events.TaskOOM", envelope.getEvent().getTypeUrl());
    assertEquals("web-1", TaskOOM.parseFrom(envelope.getEvent().getValue()).getContainerId());
    var time = Instant.ofEpochSecond(envelope.getTimestamp().getSeconds(), envelope.getTimestamp().getNanos());
    assertTrue(!time.isBefore(before) && !time.isAfter(Instant.now()), time.toString());
    assertEquals(List.of("ns"), peer.namespaces);
    assertEquals(new Outbox.Counters(0, 1, 0, 0), outbox.counters());
  }

  /** A daemon is killed while containerd is down: the next one delivers, and the record is empty then. */
  @Test
  void whatWasNotAcknowledgedIsDeliveredByTheNextDaemon() throws Exception {
    var record = new MemoryRecord();
    var killed = new StillOutbox(record, List.of());
    var then = new AtomicInteger();
    for (int i = 0; i < 5; i++) {
      var change = Change.put(Kinds.OTHERS_FREE, "told", ByteString.copyFromUtf8("told " + i));
      killed.outbox().add(numbered(i), then::incrementAndGet, change);
    }
    killed.acknowledged();
    assertEquals(5, then.get());
    assertEquals("told 4", record.state().get(Kinds.OTHERS_FREE, "told").orElseThrow().toStringUtf8());
    List<Saved.Event> left = Saved.of("record", record.state()).events();
    assertEquals(List.of(2L, 3L, 4L, 5L), left.stream().map(Saved.Event::number).toList());
    outbox.close(NONE);
    peer.start();
    outbox = Outbox.start("ns", new Publisher(socket.toString(), "ns", Duration.ofSeconds(30)), STEP, record, left);
    outbox.add(numbered(5));
    await().until(() -> outbox.counters().queued() == 0);
    assertEquals(List.of(1, 2, 3, 4, 5), peer.numbers());
    assertEquals(List.of(), Saved.of("record", record.state()).events());
  }

  @Test
  void whatAnEventTellsOfIsWrittenDownAlsoWhenTheEventIsDropped() throws Exception {
    var record = new MemoryRecord();
    var then = new AtomicInteger();
    Outbox without = Outbox.start("ns", "", record, List.of());
    without.add(numbered(1), then::incrementAndGet, Change.put(Kinds.OTHERS_FREE, "a", ByteString.EMPTY));
    without.add(numbered(2));
    assertEquals(1, then.get());
    assertEquals(List.of(Kinds.OTHERS_FREE), record.state().kinds());
    without.close(NONE);
  }

  @Test
  void eventsArriveOnceAndInOrderOverOneConnection() throws Exception {
    peer.start();
    addNumbers(0, 1000);
    awaitNumbers(1000);
    assertEquals(1, peer.connections());
    assertEquals(new Outbox.Counters(0, 1000, 0, 0), outbox.counters());
  }

  @Test
  void whoeverLooksSeesWhatWaitsForWhichContainerAndWhy() throws Exception {
    Instant before = Instant.now();
    addNumbers(0, 3);
    outbox.add(TaskExit.newBuilder().setContainerId("web-2").setId("exec").build());
    await().until(() -> !outbox.view().problem().isEmpty());
    Outbox.View view = outbox.view();
    assertEquals(List.of("web-1 3", "web-2 1"),
        view.waiting().stream().map(w -> w.container() + " " + w.count()).toList());
    Instant since = view.waiting().getFirst().since();
    assertTrue(!since.isBefore(before) && !since.isAfter(Instant.now()), since.toString());
    assertTrue(view.problem().contains(socket.toString()) || view.problem().contains("No such file"), view.problem());
    assertTrue(view.nextTry().compareTo(STEP.multipliedBy(Backoff.STEPS_MAX)) <= 0, view.nextTry().toString());
    assertEquals(4, view.counters().queued());
    peer.start();
    await().until(() -> outbox.view().counters().queued() == 0);
    view = outbox.view();
    assertEquals(List.of(), view.waiting());
    assertEquals("", view.problem());
    assertEquals(NONE, view.nextTry());
  }

  @Test
  void eventsWaitForAContainerdThatIsNotThere() throws Exception {
    addNumbers(0, 20);
    await().until(() -> outbox.counters().retried() >= 3);
    assertEquals(20, outbox.counters().queued());
    peer.start();
    awaitNumbers(20);
  }

  @Test
  void aThousandEventsArriveOnceAndInOrderAcrossARestart() throws Exception {
    var middle = new CountDownLatch(1);
    peer.behave(envelope -> {
      if (EventPeer.number(envelope) == 500) {
        middle.countDown();
        new CountDownLatch(1).await(); // until the server is closed: not acknowledged
      }
    });
    peer.start();
    Thread.ofVirtual().start(() -> addNumbers(0, 1000));
    assertTrue(middle.await(30, TimeUnit.SECONDS));
    peer.close();
    await().until(() -> outbox.counters().retried() >= 2);
    peer.behave(envelope -> { });
    peer.start();
    await().until(() -> outbox.counters().sent() == 1000);
    awaitNumbers(1000);
    assertEquals(0, outbox.counters().dropped());
  }

  @Test
  void aConnectionLostWhileIdleCostsNoRetry() throws Exception {
    peer.start();
    addNumbers(0, 1);
    awaitNumbers(1);
    peer.close();
    peer.start();
    addNumbers(1, 2);
    awaitNumbers(2);
    assertEquals(new Outbox.Counters(0, 2, 0, 0), outbox.counters());
  }

  @Test
  void aContainerdThatHangsIsAskedAgainOnAnotherConnection() throws Exception {
    replaceOutbox(Duration.ofMillis(300));
    var calls = new AtomicInteger();
    peer.behave(envelope -> {
      if (calls.incrementAndGet() <= 2) {
        new CountDownLatch(1).await(); // until the caller's deadline interrupts
      }
    });
    peer.start();
    addNumbers(0, 3);
    awaitNumbers(3);
    assertEquals(new Outbox.Counters(0, 3, 2, 0), outbox.counters());
  }

  @Test
  void connectionsThatAreResetAreMadeAgain() throws Exception {
    int resets = 3;
    try (var listener = EventPeer.listen(socket)) {
      addNumbers(0, 5);
      for (int i = 0; i < resets; i++) {
        try (SocketChannel channel = listener.accept()) {
          assertTrue(channel.isOpen());
        }
      }
    }
    peer.start();
    awaitNumbers(5);
    assertTrue(outbox.counters().retried() >= resets, outbox.counters().toString());
  }

  @Test
  void aRefusedEventIsDroppedAndTheNextOnesGoOn() throws Exception {
    peer.behave(envelope -> {
      if (envelope.getTopic().equals("/tasks/oom")) {
        throw new StatusException(Code.INVALID_ARGUMENT, "bad topic");
      }
    });
    peer.start();
    outbox.add(TaskOOM.getDefaultInstance());
    addNumbers(0, 3);
    awaitNumbers(3);
    assertEquals(new Outbox.Counters(0, 3, 0, 1), outbox.counters());
  }

  @Test
  void aServerWithoutTheEventServiceRefusesForGood() throws Exception {
    var service = new io.loomshim.ttrpc.Service("other").method("Forward", Empty.parser(), (call, request) -> request);
    try (var server = new io.loomshim.ttrpc.Server(SocketDoor.listen(socket), List.of(service))) {
      server.start();
      addNumbers(0, 2);
      await().until(() -> outbox.counters().dropped() == 2);
    }
  }

  @Test
  void anErrorThatPassesIsRetriedWithoutLosingOrder() throws Exception {
    var calls = new AtomicInteger();
    peer.behave(envelope -> {
      if (calls.incrementAndGet() % 3 != 0) {
        throw new StatusException(Code.UNKNOWN, "busy");
      }
    });
    peer.start();
    addNumbers(0, 5);
    awaitNumbers(5);
    assertEquals(new Outbox.Counters(0, 5, 10, 0), outbox.counters());
  }

  @Test
  void anEventThatIsAlwaysAnsweredWithAnErrorIsGivenUp() throws Exception {
    var calls = new AtomicInteger();
    peer.behave(envelope -> {
      if (envelope.getTopic().equals("/tasks/oom")) {
        calls.incrementAndGet();
        throw new StatusException(Code.UNKNOWN, "never");
      }
    });
    peer.start();
    outbox.add(TaskOOM.getDefaultInstance());
    addNumbers(0, 2);
    awaitNumbers(2);
    assertEquals(Outbox.ANSWERS_MAX, calls.get());
    assertEquals(new Outbox.Counters(0, 2, Outbox.ANSWERS_MAX - 1, 1), outbox.counters());
  }

  @Test
  void noExitOvertakesItsStartWithManyContainersAtOnce() throws Exception {
    peer.start();
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < 50; i++) {
      String id = "c" + i;
      threads.add(Thread.ofVirtual().start(() -> {
        for (int pid = 1; pid <= 10; pid++) {
          outbox.add(TaskStart.newBuilder().setContainerId(id).setPid(pid).build());
          outbox.add(TaskExit.newBuilder().setContainerId(id).setPid(pid).build());
        }
      }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    await().until(() -> outbox.counters().sent() == 1000);
    var stories = new HashMap<String, List<String>>();
    for (var envelope : peer.acknowledged) {
      boolean start = envelope.getTopic().equals("/tasks/start");
      var bytes = envelope.getEvent().getValue();
      String id = start ? TaskStart.parseFrom(bytes).getContainerId() : TaskExit.parseFrom(bytes).getContainerId();
      int pid = start ? TaskStart.parseFrom(bytes).getPid() : TaskExit.parseFrom(bytes).getPid();
      stories.computeIfAbsent(id, key -> new ArrayList<>()).add((start ? "start " : "exit ") + pid);
    }
    var story = IntStream.rangeClosed(1, 10).boxed().flatMap(i -> List.of("start " + i, "exit " + i).stream()).toList();
    assertEquals(50, stories.size());
    stories.values().forEach(each -> assertEquals(story, each));
  }

  @Test
  void whenTooManyWaitOnlyExitsAndDeletesAreTaken() {
    addNumbers(0, Outbox.EVENTS_MAX + 10);
    assertEquals(Outbox.EVENTS_MAX, outbox.counters().queued());
    assertEquals(10, outbox.counters().dropped());
    for (int i = Outbox.EVENTS_MAX; i < Outbox.FINAL_EVENTS_MAX + 5; i++) {
      outbox.add(TaskExit.getDefaultInstance());
    }
    assertEquals(Outbox.FINAL_EVENTS_MAX, outbox.counters().queued());
    assertEquals(15, outbox.counters().dropped());
  }

  @Test
  void theBytesThatWaitAreBoundedToo() throws Exception {
    int bytes = 1 << 20;
    var large = TaskStart.newBuilder().setContainerId("x".repeat(bytes)).build();
    int taken = (int) (Outbox.BYTES_MAX / large.getSerializedSize());
    for (int i = 0; i < taken + 5; i++) {
      outbox.add(large);
    }
    assertEquals(taken, outbox.counters().queued());
    assertEquals(5, outbox.counters().dropped());
    outbox.add(TaskExit.newBuilder().setContainerId("web-1").build());
    assertEquals(taken + 1, outbox.counters().queued());
    var exit = TaskExit.newBuilder().setContainerId("x".repeat(bytes)).build();
    for (int i = 0; i < taken + 1; i++) {
      outbox.add(exit);
    }
    assertTrue(outbox.counters().queued() * (long) bytes <= Outbox.FINAL_BYTES_MAX, outbox.counters().toString());
    int waiting = outbox.counters().queued();
    peer.start(); // what has been delivered makes room again
    await().atMost(Duration.ofSeconds(30)).until(() -> outbox.counters().sent() == waiting);
    outbox.add(large);
    await().until(() -> outbox.counters().sent() == waiting + 1);
  }

  @Test
  void whileNothingWaitsTheThreadIsParkedWithoutATimer() throws Exception {
    peer.start();
    addNumbers(0, 1);
    awaitNumbers(1);
    await().until(() -> outbox.thread().orElseThrow().getState() == Thread.State.WAITING);
    assertEquals("events/ns", outbox.thread().orElseThrow().getName());
  }

  @Test
  void closingDeliversWhatWaits() throws Exception {
    var release = new CountDownLatch(1);
    peer.behave(envelope -> release.await());
    peer.start();
    addNumbers(0, 100);
    Thread closer = Thread.ofVirtual().start(() -> outbox.close(Duration.ofSeconds(30)));
    release.countDown();
    closer.join();
    assertEquals(numbers(100), peer.numbers());
    await().until(() -> peer.connections() == 0);
    outbox.add(numbered(100));
    assertEquals(new Outbox.Counters(0, 100, 0, 1), outbox.counters());
  }

  @Test
  void closingGivesUpAtItsLimitAndCountsTheRest() {
    addNumbers(0, 7);
    outbox.close(Duration.ofMillis(200));
    assertEquals(0, outbox.counters().queued());
    assertEquals(7, outbox.counters().dropped());
  }

  @Test
  void theAddressMayHaveAScheme() throws Exception {
    peer.start();
    outbox.close(NONE);
    outbox = Outbox.start("ns", "unix://" + socket);
    addNumbers(0, 1);
    awaitNumbers(1);
  }

  @Test
  void withoutAnAddressEventsAreDroppedAndCounted() {
    outbox.close(NONE);
    outbox = Outbox.start("ns", "");
    addNumbers(0, 3);
    assertEquals(new Outbox.Counters(0, 0, 0, 3), outbox.counters());
  }

  @Test
  void aMessageThatIsNoEventIsRefusedAtOnce() {
    assertThrows(IllegalArgumentException.class, () -> outbox.add(Empty.getDefaultInstance()));
    assertEquals(new Outbox.Counters(0, 0, 0, 0), outbox.counters());
  }

  @Test
  void pausesGrowByOneStepUpToFive() {
    var backoff = new Backoff(Backoff.STEP);
    var seconds = IntStream.range(0, 8).mapToObj(i -> backoff.failed().toSeconds()).toList();
    assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 5L, 5L, 5L), seconds);
    backoff.succeeded();
    assertEquals(1, backoff.failed().toSeconds());
  }
}
