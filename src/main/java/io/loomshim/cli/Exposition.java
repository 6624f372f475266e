package io.loomshim.cli;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Text in Prometheus's exposition format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats). All samples of a metric stand together below its help
 * and type, in whatever order they were added. Used by one thread.
 */
final class Exposition {
  private static final int NANO_DIGITS = 9;

  /** Labels of a sample, as they are written; immutable. */
  record Labels(String text) {
    static final Labels NONE = new Labels("");

    /** These labels and one more. */
    Labels and(String name, String value) {
      String escaped = value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
      return new Labels(text + (text.isEmpty() ? "" : ",") + name + "=\"" + escaped + "\"");
    }

    @Override
    public String toString() {
      return text.isEmpty() ? "" : "{" + text + "}";
    }
  }

  private final Map<String, StringBuilder> metrics = new LinkedHashMap<>();

  /** Adds a sample of something that goes up and down. */
  void gauge(String name, String help, Labels labels, BigDecimal value) {
    sample(metric(name, "gauge", help), name, labels, value);
  }

  /** Adds a sample of something that is counted since the daemon started; the name ends with {@code _total}. */
  void counter(String name, String help, Labels labels, long value) {
    sample(metric(name, "counter", help), name, labels, BigDecimal.valueOf(value));
  }

  /**
   * Adds how long operations took, in seconds.
   *
   * @param bounds upper bounds of the buckets, in nanoseconds
   * @param within for each bound, the operations that took that long or less
   * @param count all operations
   * @param sum the nanoseconds of all
   */
  void durations(String name, String help, Labels labels, List<Long> bounds, List<Long> within, long count, long sum) {
    StringBuilder text = metric(name, "histogram", help);
    for (int i = 0; i < Math.min(bounds.size(), within.size()); i++) {
      sample(text, name + "_bucket", labels.and("le", seconds(bounds.get(i)).toPlainString()),
          BigDecimal.valueOf(within.get(i)));
    }
    sample(text, name + "_bucket", labels.and("le", "+Inf"), BigDecimal.valueOf(count));
    sample(text, name + "_sum", labels, seconds(sum));
    sample(text, name + "_count", labels, BigDecimal.valueOf(count));
  }

  /** Nanoseconds as seconds, without a rounding. */
  static BigDecimal seconds(long nanos) {
    return BigDecimal.valueOf(nanos, NANO_DIGITS).stripTrailingZeros();
  }

  String text() {
    return String.join("", metrics.values());
  }

  private StringBuilder metric(String name, String type, String help) {
    return metrics.computeIfAbsent(name,
        key -> new StringBuilder("# HELP " + key + " " + help + "\n# TYPE " + key + " " + type + "\n"));
  }

  private static void sample(StringBuilder text, String name, Labels labels, BigDecimal value) {
    text.append(name).append(labels).append(' ').append(value.toPlainString()).append('\n');
  }
}
