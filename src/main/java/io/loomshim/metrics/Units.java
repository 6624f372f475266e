package io.loomshim.metrics;

import java.util.Locale;

/** Formats times and sizes with their units, for people. Stateless. */
public final class Units {
  private static final long SECOND = 1000;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;

  private Units() {}

  /** {@code 12 ms}, {@code 12.3 s}, {@code 5 min 3 s}, {@code 3 h 12 min}, {@code 9 d 3 h}. */
  public static String age(long millis) {
    if (millis < SECOND) {
      return millis + " ms";
    }
    if (millis < MINUTE) {
      return String.format(Locale.ROOT, "%.1f s", millis / 1e3);
    }
    if (millis < HOUR) {
      return millis / MINUTE + " min " + millis % MINUTE / SECOND + " s";
    }
    if (millis < DAY) {
      return millis / HOUR + " h " + millis % HOUR / MINUTE + " min";
    }
    return millis / DAY + " d " + millis % DAY / HOUR + " h";
  }

  /** {@code 34 µs}, {@code 1.2 ms}, {@code 34 ms}; from a second on as {@link #age}. */
  public static String latency(long nanos) {
    if (nanos < 1_000_000) {
      return nanos < 10_000 ? String.format(Locale.ROOT, "%.1f µs", nanos / 1e3) : nanos / 1000 + " µs";
    }
    if (nanos < 10_000_000) {
      return String.format(Locale.ROOT, "%.1f ms", nanos / 1e6);
    }
    return age(nanos / 1_000_000);
  }

  /** {@code 61.2 MB}. */
  public static String bytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
  }
}
