package io.loomshim.ttrpc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Empty;
import io.loomshim.log.Log;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls that do not end are told once; others, and servers without calls, are left alone. */
@Timeout(60)
class StuckCallsTest {
  private static final Duration LIMIT = Duration.ofMillis(100);

  private final List<String> lines = new CopyOnWriteArrayList<>();

  @BeforeEach
  void listen() {
    Log.to((id, line) -> lines.add(id + "> " + new String(line, StandardCharsets.UTF_8)));
  }

  @AfterEach
  void stopListening() {
    Log.to((id, line) -> System.err.write(line, 0, line.length));
  }

  private static Stand stand() throws Exception {
    return new Stand(ErrorMapper.NONE, Optional.of(LIMIT));
  }

  private List<String> stuck() {
    return lines.stream().filter(line -> line.contains("stuck")).toList();
  }

  @Test
  void aCallThatDoesNotEndIsLoggedOnceWithWhatItServesAndItsStack() throws Exception {
    try (var stand = stand(); var peer = stand.peer()) {
      peer.send(1, Peer.request(Stand.SERVICE, "Hold", Stand.text("web-1/probe")));
      await().until(() -> stuck().size() == 1);
      peer.send(3, Peer.request(Stand.SERVICE, "Hold", Stand.text("web-2")));
      await().until(() -> stuck().size() == 2);
      String line = stuck().getFirst();
      assertTrue(line.startsWith("web-1> "), line);
      assertTrue(line.contains(" msg=\"call is stuck\" ")
          && line.contains(" connection=1 stack=\"io.loomshim.ttrpc.Stand.hold("), line);
      // 0.1 s, on a busy machine a little more
      assertTrue(Pattern.compile(" exec=probe method=Hold age=\"\\d\\.\\d s\" ").matcher(line).find(), line);
      assertTrue(stuck().getLast().startsWith("web-2> "));
    }
  }

  @Test
  void callsThatEndInTimeAndThoseThatAreMeantToWaitAreNotLogged() throws Exception {
    try (var stand = stand(); var peer = stand.peer()) {
      peer.send(1, Peer.request(Stand.SERVICE, "Watch", Stand.text("web-1")));
      for (int id = 3; id < 100; id += 2) {
        peer.send(id, Peer.request(Stand.SERVICE, "Nothing", Empty.getDefaultInstance()));
        peer.receive();
      }
      Call waiting = stand.server.inFlight().getFirst();
      await().until(() -> waiting.age().compareTo(LIMIT.multipliedBy(2)) > 0);
      peer.send(101, Peer.request(Stand.SERVICE, "Nothing", Empty.getDefaultInstance()));
      peer.receive();
      await("the look after that call").until(() -> stand.server.deadlines().pending() == 0 && !stand.timed());
      assertEquals(List.of(waiting), stand.server.inFlight());
      assertEquals(List.of(), stuck());
    }
  }

  @Test
  void aCallThatHoldsItsConnectionUpIsLoggedToo() throws Exception {
    try (var stand = stand(); var peer = stand.peer()) {
      peer.send(1, Peer.request(Stand.SERVICE, "Stick", Stand.text("web-1")));
      await().until(() -> stuck().size() == 1);
      assertTrue(stuck().getFirst().contains(" method=Stick "), stuck().getFirst());
    }
  }

  @Test
  void ofMoreThanEnoughOnlyTheNumberIsLogged() throws Exception {
    int more = 8;
    try (var stand = stand(); var peer = stand.peer()) {
      for (int i = 0; i < StuckCalls.STACKS_MAX + more; i++) {
        peer.send(2 * i + 1, Peer.request(Stand.SERVICE, "Hold", Stand.text("web-" + i)));
      }
      await().until(() -> count() == StuckCalls.STACKS_MAX + more);
    }
  }

  /** All that were told, one by one or as a number: a busy machine may need two looks. */
  private int count() {
    int count = 0;
    for (String line : stuck()) {
      int at = line.indexOf(" count=");
      count += at < 0 ? 1 : Integer.parseInt(line.substring(at + " count=".length()).strip());
    }
    return count;
  }

  @Test
  void theUseOfEachMethodIsCounted() throws Exception {
    try (var stand = stand(); var peer = stand.peer()) {
      for (int id = 1; id < 20; id += 2) {
        peer.send(id, Peer.request(Stand.SERVICE, "Nothing", Empty.getDefaultInstance()));
        peer.receive();
      }
      peer.send(21, Peer.request(Stand.SERVICE, "Refuse", Empty.getDefaultInstance()));
      peer.receive();
      var seen = stand.server.usage().stream()
          .map(u -> u.service() + " " + u.method() + " " + u.latency().count() + " " + u.latency().failed()).sorted()
          .toList();
      assertEquals(List.of(Stand.SERVICE + " Nothing 10 0", Stand.SERVICE + " Refuse 1 1"), seen);
      for (Service.Usage usage : stand.server.usage()) {
        assertTrue(usage.latency().max() > 0 && usage.latency().p50() <= usage.latency().max(), usage.toString());
      }
    }
  }
}
