package io.loomshim.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class LatencyTest {
  @Test
  void eachTimeIsInTheBucketThatBeginsAtOrBelowIt() {
    for (int bits = 0; bits < 43; bits++) {
      for (long nanos = 1L << bits; nanos < 1L << bits + 1; nanos += Math.max(1, 1L << bits - 5)) {
        int bucket = Latency.bucket(nanos);
        assertTrue(bucket >= 0 && bucket < Latency.BUCKETS);
        assertTrue(Latency.lowest(bucket) <= nanos, nanos + " is in " + bucket);
        assertTrue(bucket == Latency.BUCKETS - 1 || Latency.lowest(bucket + 1) > nanos, nanos + " is in " + bucket);
      }
    }
    assertEquals(0, Latency.bucket(-5));
    assertEquals(Latency.BUCKETS - 1, Latency.bucket(Long.MAX_VALUE));
  }

  /** Against the exact percentiles of a sorted list. */
  @Test
  void percentilesAreAtMost13PercentOff() {
    var random = new Random(5);
    for (int round = 0; round < 50; round++) {
      int count = 1 + random.nextInt(3000);
      var latency = new Latency();
      var all = new long[count];
      for (int i = 0; i < count; i++) {
        all[i] = (long) (2000 * Math.exp(random.nextDouble() * 18)); // 2 µs to 2 minutes
        latency.record(all[i], true);
      }
      Arrays.sort(all);
      var seen = latency.summary();
      assertEquals(count, seen.count());
      assertEquals(all[count - 1], seen.max());
      assertNear(all[(count * 50 + 99) / 100 - 1], seen.p50());
      assertNear(all[(count * 99 + 99) / 100 - 1], seen.p99());
    }
  }

  private static void assertNear(long exact, long told) {
    assertTrue(Math.abs(told - exact) <= 0.13 * exact, told + " for " + exact);
  }

  @Test
  void ofNothingAllIsZero() {
    var none = Collections.nCopies(Latency.bounds().size(), 0L);
    assertEquals(new Latency.Summary(0, 0, 0, 0, 0, 0, none), new Latency().summary());
  }

  /** Against a count over all times, some of which are a bound or the next nanosecond. */
  @Test
  void aHistogramCountsWhatTookABoundOrLess() {
    var random = new Random(17);
    var latency = new Latency();
    var all = new ArrayList<Long>();
    for (long bound : Latency.bounds()) {
      all.addAll(List.of(bound, bound + 1));
    }
    for (int i = 0; i < 2000; i++) {
      all.add((long) (1000 * Math.exp(random.nextDouble() * 20))); // 1 µs to 8 minutes
    }
    all.forEach(nanos -> latency.record(nanos, true));
    var exact = Latency.bounds().stream().map(bound -> all.stream().filter(nanos -> nanos <= bound).count()).toList();
    assertEquals(exact, latency.summary().within());
    assertEquals(all.stream().mapToLong(Long::longValue).sum(), latency.summary().sum());
  }

  @Test
  void noneIsLostWhenManyThreadsRecordAtOnce() throws Exception {
    var latency = new Latency();
    var go = new CountDownLatch(1);
    var threads = new ArrayList<Thread>();
    for (int t = 0; t < 8; t++) {
      int own = t;
      threads.add(Thread.ofPlatform().start(() -> {
        try {
          go.await();
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
        for (int i = 0; i < 20_000; i++) {
          latency.record(1_000L * (own + 1), i % 4 != 0);
        }
      }));
    }
    go.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    var seen = latency.summary();
    assertEquals(160_000, seen.count());
    assertEquals(40_000, seen.failed());
    assertEquals(8_000, seen.max());
  }
}
