package io.loomshim.metrics;

import java.util.concurrent.atomic.AtomicLong;

/**
 * An amount of memory that may be taken, counted by estimates on the high side, so that no number of clients can fill
 * the heap. A request that does not fit is refused at once; no thread waits here. May be used from any thread; no lock.
 */
public final class Budget {
  /** For a peer that sends only what it was asked for. */
  public static final Budget UNLIMITED = new Budget(Long.MAX_VALUE / 4);

  private final long bytes;
  private final AtomicLong taken = new AtomicLong();

  /** Makes a budget of {@code bytes}. */
  public Budget(long bytes) {
    this.bytes = bytes;
  }

  /** Makes a budget of the largest size of the heap divided by {@code part}. */
  public static Budget ofHeap(int part) {
    return new Budget(Runtime.getRuntime().maxMemory() / part);
  }

  /** Takes {@code cost} bytes if that many are left. */
  public boolean take(long cost) {
    return take(cost, bytes);
  }

  /** The same for a client with few calls in flight: for those there are as many bytes again. */
  public boolean takeModestly(long cost) {
    return take(cost, 2 * bytes);
  }

  private boolean take(long cost, long limit) {
    while (true) {
      long now = taken.get();
      if (now + cost > limit) {
        return false;
      }
      if (taken.compareAndSet(now, now + cost)) {
        return true;
      }
    }
  }

  /** Counts {@code cost} bytes that are in use already, whether they fit or not. */
  public void charge(long cost) {
    taken.addAndGet(cost);
  }

  /** Gives back {@code cost} bytes. */
  public void give(long cost) {
    taken.addAndGet(-cost);
  }

  /** The bytes that are taken now. */
  public long taken() {
    return taken.get();
  }
}
