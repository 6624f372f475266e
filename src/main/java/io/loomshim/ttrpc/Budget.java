package io.loomshim.ttrpc;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Memory that something may take, counted by estimates that are rather too high, so that clients cannot fill the heap
 * however many they are. What does not fit is refused at once: nobody waits here. May be used from any thread; no lock.
 */
public final class Budget {
  /** For a peer that sends no more than it is asked for. */
  static final Budget UNLIMITED = new Budget(Long.MAX_VALUE / 4);

  private final long bytes;
  private final AtomicLong taken = new AtomicLong();

  /** Makes one of {@code bytes}. */
  public Budget(long bytes) {
    this.bytes = bytes;
  }

  /** Makes one of the largest size that the heap may get, divided by {@code part}. */
  public static Budget ofHeap(int part) {
    return new Budget(Runtime.getRuntime().maxMemory() / part);
  }

  /** Takes {@code cost} bytes if there are so many left. */
  public boolean take(long cost) {
    return take(cost, bytes);
  }

  /** The same for somebody modest: there are as many again for those. */
  boolean takeModestly(long cost) {
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

  /** Takes {@code cost} bytes that are there already, whether they fit or not. */
  void charge(long cost) {
    taken.addAndGet(cost);
  }

  /** Gives back what was taken. */
  public void give(long cost) {
    taken.addAndGet(-cost);
  }

  /** What is taken now. */
  public long taken() {
    return taken.get();
  }
}
