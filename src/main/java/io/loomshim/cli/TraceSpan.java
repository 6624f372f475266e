package io.loomshim.cli;

import io.loomshim.inspect.Report;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A span of OpenTelemetry: an operation with a beginning and an end, in a trace. Its id is made of what it is, so the
 * same event in two recordings, or one recording read twice, is the same span. Used by one thread.
 */
final class TraceSpan {
  /** Span kinds of OTLP. */
  enum Kind {
    INTERNAL(1), SERVER(2);

    private final int number;

    Kind(int number) {
      this.number = number;
    }
  }

  private static final int TRACE_BYTES = 16;
  private static final int SPAN_BYTES = 8;
  private static final int STATUS_ERROR = 2;

  private final Kind kind;
  private final String name;
  private final Instant start;
  private final Instant end;
  private final Map<String, Object> attributes = new LinkedHashMap<>();
  private final byte[] digest;
  private String trace;
  private String parent = "";
  private String error = "";

  /** A span that is a trace of its own until it has a parent; {@code identity} tells it from all others. */
  TraceSpan(Kind kind, String name, Instant start, Instant end, String identity) {
    this.kind = kind;
    this.name = name;
    this.start = start;
    this.end = end;
    digest = sha256(name + "|" + nanos(start) + "|" + nanos(end) + "|" + identity);
    trace = HexFormat.of().formatHex(digest, 0, TRACE_BYTES);
  }

  Instant start() {
    return start;
  }

  Instant end() {
    return end;
  }

  private String id() {
    return HexFormat.of().formatHex(Arrays.copyOfRange(digest, TRACE_BYTES, TRACE_BYTES + SPAN_BYTES));
  }

  /** Adds an attribute, unless its value is empty. */
  TraceSpan with(String name, Object value) {
    if (!"".equals(value)) {
      attributes.put(name, value);
    }
    return this;
  }

  /** The operation has failed. */
  TraceSpan failed(String reason) {
    error = reason;
    return this;
  }

  /** Makes it a child of {@code other}. */
  TraceSpan below(TraceSpan other) {
    trace = other.trace;
    parent = other.id();
    return this;
  }

  /**
   * Makes it a child of the caller's span, if {@code traceparent} names one: version, trace, span and flags in
   * hexadecimal (https://www.w3.org/TR/trace-context). Ids of zeros name none.
   */
  TraceSpan below(String traceparent) {
    String[] parts = traceparent.split("-");
    if (parts.length >= 4 && id(parts[0], 1) && !parts[0].equals("ff") && id(parts[1], TRACE_BYTES)
        && id(parts[2], SPAN_BYTES) && !zeros(parts[1]) && !zeros(parts[2])) {
      trace = parts[1];
      parent = parts[2];
    }
    return this;
  }

  private static boolean id(String text, int bytes) {
    return text.length() == 2 * bytes && text.matches("[0-9a-f]+");
  }

  private static boolean zeros(String text) {
    return text.matches("0+");
  }

  /** As OTLP writes it in JSON: ids in hexadecimal, times as text. */
  Map<String, Object> json() {
    Map<String, Object> json = Report.row("traceId", trace, "spanId", id());
    if (!parent.isEmpty()) {
      json.put("parentSpanId", parent);
    }
    json.put("name", name);
    json.put("kind", kind.number);
    json.put("startTimeUnixNano", nanos(start));
    json.put("endTimeUnixNano", nanos(end));
    List<Object> list = new ArrayList<>();
    attributes.forEach((key, value) -> list.add(attribute(key, value)));
    json.put("attributes", list);
    if (!error.isEmpty()) {
      json.put("status", Report.row("code", STATUS_ERROR, "message", error));
    }
    return json;
  }

  /** An attribute in OTLP; numbers of 64 bits are text there. */
  static Map<String, Object> attribute(String key, Object value) {
    Map<String, Object> typed = value instanceof Number
        ? Report.row("intValue", value.toString()) : Report.row("stringValue", value.toString());
    return Report.row("key", key, "value", typed);
  }

  private static String nanos(Instant time) {
    return Long.toString(Math.addExact(Math.multiplyExact(time.getEpochSecond(), 1_000_000_000L), time.getNano()));
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e); // every JDK has it
    }
  }
}
