package io.loomshim.json;

import java.util.List;
import java.util.Map;

/** Writes JSON values without white space. Stateless; may be called from any thread. */
final class JsonWriter {
  private JsonWriter() {}

  static void append(StringBuilder out, Object value) {
    // no pattern switch: the first one costs milliseconds, and the first Create comes through here
    if (value instanceof String string) {
      appendString(out, string);
    } else if (value instanceof Map<?, ?> map) {
      appendObject(out, map);
    } else if (value instanceof List<?> list) {
      appendArray(out, list);
    } else if (value instanceof Number number) {
      appendNumber(out, number);
    } else if (value instanceof Boolean || value == Json.NULL) {
      out.append(value);
    } else {
      throw new IllegalArgumentException("no JSON for " + value.getClass().getName());
    }
  }

  private static void appendObject(StringBuilder out, Map<?, ?> map) {
    char before = '{';
    for (var member : map.entrySet()) {
      appendString(out.append(before), (String) member.getKey());
      append(out.append(':'), member.getValue());
      before = ',';
    }
    out.append(map.isEmpty() ? "{}" : "}");
  }

  private static void appendArray(StringBuilder out, List<?> list) {
    char before = '[';
    for (Object element : list) {
      append(out.append(before), element);
      before = ',';
    }
    out.append(list.isEmpty() ? "[]" : "]");
  }

  private static void appendNumber(StringBuilder out, Number number) {
    boolean binary = number instanceof Double || number instanceof Float;
    if (binary && !Double.isFinite(number.doubleValue())) {
      throw new IllegalArgumentException("no JSON for the number " + number);
    }
    out.append(number);
  }

  /** Control characters are escaped; half of a surrogate pair, which UTF-8 cannot hold, becomes U+FFFD. */
  private static void appendString(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ') {
        appendControl(out, c);
      } else if (!Character.isSurrogate(c)) {
        out.append(c);
      } else if (i + 1 < text.length() && Character.isSurrogatePair(c, text.charAt(i + 1))) {
        out.append(c).append(text.charAt(++i));
      } else {
        out.append('\uFFFD');
      }
    }
    out.append('"');
  }

  private static void appendControl(StringBuilder out, char c) {
    switch (c) {
      case '\n' -> out.append("\\n");
      case '\r' -> out.append("\\r");
      case '\t' -> out.append("\\t");
      default -> out.append("\\u00").append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
    }
  }
}
