package io.loomshim.integration.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Vitals;
import io.loomshim.proto.task.ExecProcessRequest;
import io.loomshim.proto.task.StatsRequest;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.testing.Seeded;
import io.loomshim.ttrpc.Peer;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Clients that send a living daemon anything but what they should. After each test a healthy container answers, and
 * the daemon holds no more descriptors, threads and heap than before.
 */
@Timeout(240)
final class HostileIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final boolean LONG = Boolean.getBoolean("loomshim.long");
  private static final int CONNECTIONS = LONG ? 10_000 : 400;
  private static final int FRAMES_MAX = 20;
  private static final int MALFORMED = LONG ? 2000 : 100;
  private static final int IDLE = LONG ? 7000 : 3000;
  /** A few of them want more than the memory for calls in flight. */
  private static final int NEVER_READING = LONG ? 20 : 8;
  private static final Duration STALL_MAX = Await.seconds(120);
  private static final int LENGTH_MAX = Peer.DATA_BYTES_MAX;
  /** The largest process whose request is no longer than a frame may be. */
  private static final int LARGE = LENGTH_MAX - 1000;
  private static final int RESOURCE_EXHAUSTED = 8;
  /** What an ordinary call may take beside hostile ones, on a slow machine that does other things as well. */
  private static final Duration PROMPT = Await.seconds(20);

  private static ShimClient healthy;
  private static long daemon;
  private Vitals before;

  @BeforeAll
  static void begin() {
    Shim.assumeOurs("a Go shim serves one container each");
    healthy = BED.shims().start(SHIM, BED.shims().bundle(Names.id("healthy"), "sleep", "100000"));
    healthy.create();
    healthy.start();
    daemon = healthy.connect().getShimPid();
    healthy.exec("warm", "true");
    healthy.start("warm");
    healthy.await("warm");
    healthy.delete("warm");
  }

  @AfterAll
  static void end() {
    if (healthy != null) {
      healthy.close();
    }
  }

  @BeforeEach
  void look() {
    before = Vitals.of(daemon);
  }

  @AfterEach
  void theDaemonIsAsBefore() {
    assertServes();
    before.assertKept();
  }

  /** A healthy container answers at once, on the old connection and on a new one. */
  private static void assertServes() {
    var start = Instant.now();
    assertEquals("RUNNING", healthy.state("").getStatus().toString());
    try (var peer = peer()) {
      peer.send("State", Requests.of(healthy.id(), "").get("State"));
      assertEquals(0, peer.code());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    var took = Duration.between(start, Instant.now());
    assertTrue(took.compareTo(PROMPT) < 0, () -> "State took " + took);
  }

  private static RawPeer peer() {
    return RawPeer.connect(healthy.socket());
  }

  @Test
  void noFramesHoweverMalformedHarmTheDaemon() {
    var random = Seeded.random("noFramesHoweverMalformedHarmTheDaemon");
    for (int i = 0; i < CONNECTIONS; i++) {
      attack(random);
      if (i % 50 == 0) {
        assertServes();
      }
    }
  }

  private static void attack(Random random) {
    try (var peer = peer()) {
      Thread reading = peer.reading(); // else it would wait for us while we wait for it
      for (int i = random.nextInt(FRAMES_MAX); i >= 0; i--) {
        peer.bytes(noise(random));
      }
      if (random.nextBoolean()) {
        peer.end();
        reading.join();
      }
    } catch (IOException e) {
      // the daemon may close at any moment
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** A frame that is right, cut, changed, of another length than it says, or no frame at all. */
  private static byte[] noise(Random random) {
    String id = random.nextBoolean() ? "nobody" : "a" + random.nextInt(1000);
    var requests = List.copyOf(Requests.of(id, random.nextBoolean() ? "" : "e").entrySet());
    Map.Entry<String, MessageLite> any = requests.get(random.nextInt(requests.size()));
    byte[] data = RawPeer.request(any.getKey(), any.getValue().toByteString());
    byte[] header = Peer.headerOf(data.length, random.nextInt() | 1, random.nextInt(4));
    byte[] frame = Arrays.copyOf(header, header.length + data.length);
    System.arraycopy(data, 0, frame, header.length, data.length);
    switch (random.nextInt(5)) {
      case 0 -> {
        return frame;
      }
      case 1 -> {
        return Arrays.copyOf(frame, random.nextInt(frame.length));
      }
      case 2 -> {
        for (int i = random.nextInt(6); i >= 0; i--) {
          frame[random.nextInt(frame.length)] = (byte) random.nextInt();
        }
        return frame;
      }
      case 3 -> {
        byte[] long4 = Peer.headerOf(random.nextLong(1L << 32), random.nextInt(), random.nextInt(3));
        return Arrays.copyOf(long4, long4.length + random.nextInt(50_000));
      }
      default -> {
        byte[] bytes = new byte[random.nextInt(3000)];
        random.nextBytes(bytes);
        return bytes;
      }
    }
  }

  @Test
  void everyMalformedMessageOfEveryMethodIsAnsweredAndTheConnectionGoesOn() throws IOException {
    var random = Seeded.random("everyMalformedMessageOfEveryMethodIsAnsweredAndTheConnectionGoesOn");
    try (var peer = peer()) {
      for (var method : Requests.of("nobody", "e").entrySet()) {
        byte[] good = method.getValue().toByteArray();
        for (int i = 0; i < MALFORMED; i++) {
          peer.send(method.getKey(), ByteString.copyFrom(malformed(random, good)));
          int code = peer.code();
          assertTrue(code > 0 || Requests.FOR_ANYBODY.contains(method.getKey()), method + " was answered " + code);
        }
        peer.send("State", Requests.of(healthy.id(), "").get("State"));
        assertEquals(0, peer.code());
      }
    }
  }

  private static byte[] malformed(Random random, byte[] good) {
    byte[] bytes = good.clone();
    return switch (random.nextInt(6)) {
      case 0 -> Arrays.copyOf(bytes, random.nextInt(bytes.length));
      case 1 -> {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        yield bytes;
      }
      case 2 -> {
        byte[] noise = new byte[random.nextInt(200)];
        random.nextBytes(noise);
        yield noise;
      }
      // a group that opens again and again; a string of 2 GiB; a string that is no UTF-8
      case 3 -> filled(0x0b, 1 + random.nextInt(100_000));
      case 4 -> new byte[] {0x0a, -1, -1, -1, -1, 7, 'x'};
      default -> new byte[] {0x0a, 2, (byte) 0xc3, 0x28};
    };
  }

  private static byte[] filled(int value, int length) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  @Test
  void lengthsThatNobodyKeepsAndHalfFramesCostNothingButTheirConnection() throws IOException {
    var peers = new ArrayList<RawPeer>();
    try {
      for (int i = 0; i < 100; i++) {
        var over = peer();
        peers.add(over);
        over.bytes(Peer.headerOf(0xffff_ffffL, 1, 1));
        over.bytes(new byte[100_000]);
        var half = peer();
        peers.add(half);
        half.bytes(Arrays.copyOf(Peer.headerOf(100, 1, 1), i % Peer.HEADER_BYTES));
      }
      assertServes();
    } finally {
      peers.forEach(RawPeer::close);
    }
  }

  @Test
  void halvesOfTheLargestFramesTakeABoundedPartOfTheMemory() throws IOException {
    var peers = new ArrayList<RawPeer>();
    try {
      for (int i = 0; i < 100; i++) {
        var peer = peer();
        peers.add(peer);
        peer.begin(LENGTH_MAX, LENGTH_MAX / 2);
      }
      assertServes();
      long held = Vitals.liveBytes(daemon) - before.heapBytes();
      assertTrue(held < 30 << 20, held + " bytes for halves");
      // small requests go on; a large one is told why it cannot
      try (var peer = peer()) {
        peer.send("Exec", ExecProcessRequest.newBuilder().setId("nobody").setExecId("e")
            .setSpec(Requests.process("true", "x".repeat(LARGE))).build());
        assertEquals(RESOURCE_EXHAUSTED, peer.code());
        peer.send("State", Requests.of(healthy.id(), "").get("State"));
        assertEquals(0, peer.code());
      }
    } finally {
      peers.forEach(RawPeer::close);
    }
  }

  @Test
  void thousandsOfIdleConnectionsDelayNobody() {
    var peers = new ArrayList<RawPeer>();
    try {
      for (int i = 0; i < IDLE; i++) {
        peers.add(peer());
      }
      Await.until("all are accepted", () -> Proc.fileCount(daemon) >= before.files() + IDLE);
      assertServes();
    } finally {
      peers.forEach(RawPeer::close);
    }
  }

  @Test
  void clientsThatNeverReadBlockNobodyAndTakeABoundedPartOfTheMemory() throws Exception {
    var peers = new ArrayList<RawPeer>();
    var floods = new ArrayList<Thread>();
    var sent = new AtomicLong();
    for (int i = 0; i < NEVER_READING; i++) {
      var peer = peer();
      peers.add(peer);
      floods.add(Thread.ofVirtual().start(() -> flood(peer, sent)));
    }
    try {
      assertTrue(Await.within(STALL_MAX, stalled(sent)), () -> "the daemon has taken " + sent + " and goes on");
      assertServes();
      long held = Vitals.liveBytes(daemon) - before.heapBytes();
      assertTrue(held < 56 << 20, held + " bytes for replies that nobody reads");
    } finally {
      peers.forEach(RawPeer::close);
    }
    for (Thread flood : floods) {
      flood.join();
    }
  }

  /** Whether a counter has not moved for a second. */
  private static BooleanSupplier stalled(AtomicLong counter) {
    var seen = new AtomicLong(-1);
    var since = new AtomicLong();
    return () -> {
      long now = counter.get();
      if (seen.getAndSet(now) != now) {
        since.set(System.nanoTime());
      }
      return System.nanoTime() - since.get() > 1_000_000_000L;
    };
  }

  /** Calls that have something to tell, or that wait, without end; until the test closes the peer. */
  private static void flood(RawPeer peer, AtomicLong sent) {
    var stats = StatsRequest.newBuilder().setId(healthy.id()).build();
    var wait = WaitRequest.newBuilder().setId(healthy.id()).build();
    try {
      for (int i = 0;; i++) {
        peer.send(i % 2 == 0 ? "Stats" : "Wait", i % 2 == 0 ? stats : wait);
        sent.incrementAndGet();
      }
    } catch (IOException e) {
      // closed
    }
  }
}
