package io.loomshim.container;

import com.google.protobuf.Timestamp;
import java.time.Instant;

/**
 * How and when a process ended.
 *
 * @param status the exit code, or 128 + n for a process that signal n ended
 * @param at when its end was recorded
 */
public record Exit(int status, Instant at) {
  /** What is told of a process that has not ended: the zero time of containerd, the year 1. */
  public static final Exit NONE = new Exit(0, Instant.ofEpochSecond(-62135596800L));

  /** Whether this is {@link #NONE}. The JVM makes the equals of a record at its first use, which takes long. */
  boolean none() {
    return this == NONE;
  }

  /** When its end was recorded, as messages have it. */
  public Timestamp timestamp() {
    return Timestamp.newBuilder().setSeconds(at.getEpochSecond()).setNanos(at.getNano()).build();
  }
}
