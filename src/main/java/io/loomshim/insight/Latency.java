package io.loomshim.insight;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How long one kind of operation took since the daemon started: counts in buckets of logarithmic width, four to each
 * doubling, from 1 µs to 73 minutes. What it tells is at most 13 % off, the count and the maximum are exact.
 *
 * <p>Takes 3 KB from the first operation on and no more. {@link #record} may be called from any thread: two atomic
 * additions and a comparison, no lock and no memory. {@code GROWING} only orders the first operations of a kind.
 */
public final class Latency {
  /** The first bucket holds what takes less than 2^10 ns. */
  private static final int SMALLEST_BITS = 10;
  /** The last one holds what takes 2^42 ns or more. */
  private static final int LARGEST_BITS = 42;
  /** Buckets to each doubling, as a power of two: 2^2. */
  private static final int DIVISION_BITS = 2;
  static final int BUCKETS = 2 + (LARGEST_BITS - SMALLEST_BITS << DIVISION_BITS);

  private static final AtomicLong[] NONE = {};
  private static final ReentrantLock GROWING = new ReentrantLock();

  /**
   * What can be told of an operation. Times are in nanoseconds.
   *
   * @param count how many have ended
   * @param failed how many of them with an error
   * @param p50 what half of them took at most
   * @param p99 what 99 of 100 took at most
   * @param max what the longest took
   */
  public record Summary(long count, long failed, long p50, long p99, long max) {}

  private final AtomicLong failed = new AtomicLong();
  private final AtomicLong max = new AtomicLong();
  private volatile AtomicLong[] counts = NONE;

  /** One more operation has ended, {@code nanos} after it began. */
  public void record(long nanos, boolean succeeded) {
    AtomicLong[] buckets = counts;
    if (buckets == NONE) {
      buckets = grown();
    }
    buckets[bucket(nanos)].incrementAndGet();
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

  /** What has been recorded until now; operations that end meanwhile may be in it or not. */
  public Summary summary() {
    var seen = new long[counts.length];
    long count = 0;
    for (int i = 0; i < seen.length; i++) {
      seen[i] = counts[i].get();
      count += seen[i];
    }
    long longest = max.get();
    return new Summary(count, failed.get(), percentile(seen, count, 50, longest),
        percentile(seen, count, 99, longest), longest);
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

  /** The bucket of a time; one that is negative, which a clock may tell, counts as the shortest. */
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
