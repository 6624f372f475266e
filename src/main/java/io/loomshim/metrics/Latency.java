package io.loomshim.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How long one kind of operation took since the daemon started. It counts in buckets of logarithmic width, four to each
 * doubling, from 1 µs to 73 minutes. Percentiles are at most 13 % off; the count and the maximum are exact.
 *
 * <p>It takes 3 KB from the first operation on and no more. {@link #record} may be called from any thread: three atomic
 * additions and a comparison, no lock and no memory. {@code GROWING} only orders the first operations of a kind.
 */
public final class Latency {
  /** The first bucket holds what takes less than 2^10 ns. */
  private static final int SMALLEST_BITS = 10;
  /** The last bucket holds what takes 2^42 ns or more. */
  private static final int LARGEST_BITS = 42;
  /** Buckets to each doubling, as a power of two: 2^2. */
  private static final int DIVISION_BITS = 2;
  static final int BUCKETS = 2 + (LARGEST_BITS - SMALLEST_BITS << DIVISION_BITS);

  /** The bounds that {@link Summary#within} counts by, as powers of two: from 16 µs to 69 s. */
  private static final int[] BOUND_BITS = {14, 17, 20, 22, 24, 26, 28, 30, 32, 34, 36};

  private static final AtomicLong[] NONE = {};
  private static final ReentrantLock GROWING = new ReentrantLock();

  /**
   * The figures of one kind of operation. Times are in nanoseconds.
   *
   * @param count operations that have ended
   * @param failed those of them that failed
   * @param sum the times of all together
   * @param p50 the median
   * @param p99 the 99th percentile
   * @param max the longest
   * @param within for each of {@link #bounds}, how many took that long or less
   */
  public record Summary(long count, long failed, long sum, long p50, long p99, long max, List<Long> within) {}

  private final AtomicLong failed = new AtomicLong();
  private final AtomicLong sum = new AtomicLong();
  private final AtomicLong max = new AtomicLong();
  private volatile AtomicLong[] counts = NONE;

  /** Counts one operation that took {@code nanos}. */
  public void record(long nanos, boolean succeeded) {
    AtomicLong[] buckets = counts;
    if (buckets == NONE) {
      buckets = grown();
    }
    buckets[bucket(nanos)].incrementAndGet();
    sum.addAndGet(Math.max(0, nanos));
    if (!succeeded) {
      failed.incrementAndGet();
    }
    long longest = max.get();
    while (nanos > longest && !max.compareAndSet(longest, nanos)) {
      longest = max.get();
    }
  }

  private AtomicLong[] grown() {
    GROWING.lock();
    try {
      if (counts == NONE) {
        var fresh = new AtomicLong[BUCKETS];
        for (int i = 0; i < BUCKETS; i++) {
          fresh[i] = new AtomicLong();
        }
        counts = fresh;
      }
      return counts;
    } finally {
      GROWING.unlock();
    }
  }

  /** The figures until now; operations that end meanwhile may be in them or not. */
  public Summary summary() {
    var seen = new long[counts.length];
    long count = 0;
    for (int i = 0; i < seen.length; i++) {
      seen[i] = counts[i].get();
      count += seen[i];
    }
    long longest = max.get();
    return new Summary(count, failed.get(), sum.get(), percentile(seen, count, 50, longest),
        percentile(seen, count, 99, longest), longest, within(seen));
  }

  /** The bounds of a histogram, in nanoseconds; the same for every kind of operation. */
  public static List<Long> bounds() {
    var bounds = new ArrayList<Long>();
    for (int bits : BOUND_BITS) {
      bounds.add((1L << bits) - 1);
    }
    return bounds;
  }

  /** For each bound, the operations in the buckets below it. */
  private static List<Long> within(long[] seen) {
    var within = new ArrayList<Long>();
    long count = 0;
    int bucket = 0;
    for (int bits : BOUND_BITS) {
      for (int end = bucket(1L << bits); bucket < Math.min(end, seen.length); bucket++) {
        count += seen[bucket];
      }
      within.add(count);
    }
    return within;
  }

  private static long percentile(long[] seen, long count, int percent, long longest) {
    long left = (count * percent + 99) / 100;
    for (int i = 0; i < seen.length; i++) {
      left -= seen[i];
      if (left <= 0 && seen[i] > 0) {
        return Math.min(longest, (lowest(i) + lowest(i + 1)) / 2);
      }
    }
    return longest;
  }

  /** The bucket of a time; a negative one, which a clock may yield, counts as the shortest. */
  static int bucket(long nanos) {
    if (nanos < 1L << SMALLEST_BITS) {
      return 0;
    }
    int bits = Long.SIZE - 1 - Long.numberOfLeadingZeros(nanos);
    int within = (int) (nanos >>> bits - DIVISION_BITS) & (1 << DIVISION_BITS) - 1;
    return Math.min(BUCKETS - 1, 1 + (bits - SMALLEST_BITS << DIVISION_BITS) + within);
  }

  /** The shortest time of a bucket. */
  static long lowest(int bucket) {
    if (bucket == 0) {
      return 0;
    }
    int bits = SMALLEST_BITS + (bucket - 1 >> DIVISION_BITS);
    long within = bucket - 1 & (1 << DIVISION_BITS) - 1;
    return (1L << bits) + (within << bits - DIVISION_BITS);
  }
}
