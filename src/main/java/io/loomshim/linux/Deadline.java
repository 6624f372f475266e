package io.loomshim.linux;

import java.time.Duration;

/** A point in time on the monotonic clock until which something may take. */
public final class Deadline {
  /** No limit. */
  public static final Deadline NEVER = new Deadline(0);

  private final long at;

  private Deadline(long at) {
    this.at = at;
  }

  /** The point {@code limit} from now. */
  public static Deadline in(Duration limit) {
    return new Deadline(System.nanoTime() + limit.toNanos());
  }

  /** Nanoseconds that are left, 0 or less when it has passed, Long.MAX_VALUE for {@link #NEVER}. */
  public long nanosLeft() {
    return this == NEVER ? Long.MAX_VALUE : at - System.nanoTime();
  }

  public boolean passed() {
    return nanosLeft() <= 0;
  }
}
