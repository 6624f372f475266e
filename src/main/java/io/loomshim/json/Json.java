package io.loomshim.json;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * JSON (RFC 8259) as plain Java values: {@code Map<String, Object>} in the order of the text, {@code List<Object>},
 * {@code String}, {@link JsonNumber}, {@code Boolean}, and {@link #NULL} for null.
 *
 * <p>Stateless; may be called from any thread.
 */
public final class Json {
  /** Stands for JSON's null. */
  public static final Object NULL = new Object() {
    @Override
    public String toString() {
      return "null";
    }
  };

  private Json() {}

  /**
   * Reads the one value that {@code text} holds; only white space may stand around it.
   *
   * @throws JsonException if the text is not JSON, or exceeds a limit of {@link JsonReader}
   */
  public static Object read(String text) throws JsonException {
    var reader = new JsonReader(text);
    Optional<Object> value = reader.next();
    if (value.isEmpty()) {
      throw new JsonException(text.length(), "the text is empty");
    }
    reader.expectEnd();
    return value.get();
  }

  /** Like {@link #read(String)} for UTF-8; a byte sequence that is not UTF-8 becomes U+FFFD. */
  public static Object read(byte[] utf8) throws JsonException {
    return read(new String(utf8, StandardCharsets.UTF_8));
  }

  /** Reads the values that stand one after the other in {@code text}, as in a log. */
  public static List<Object> readAll(String text) throws JsonException {
    var values = new ArrayList<>();
    var reader = new JsonReader(text);
    for (Optional<Object> value = reader.next(); value.isPresent(); value = reader.next()) {
      values.add(value.get());
    }
    return values;
  }

  /** {@code value} as an object with its members, or nothing when it is not an object. */
  @SuppressWarnings("unchecked") // JsonReader makes no other maps
  public static Optional<Map<String, Object>> object(Object value) {
    return value instanceof Map<?, ?> map ? Optional.of((Map<String, Object>) map) : Optional.empty();
  }

  /** {@code value} as an array, or nothing when it is not an array. */
  @SuppressWarnings("unchecked") // JsonReader makes no other lists
  public static Optional<List<Object>> array(Object value) {
    return value instanceof List<?> list ? Optional.of((List<Object>) list) : Optional.empty();
  }

  /** A copy of {@code object} in which {@code key} has {@code value}; a new key goes to the end. */
  public static Map<String, Object> with(Map<String, Object> object, String key, Object value) {
    var copy = new LinkedHashMap<>(object);
    copy.put(key, value);
    return copy;
  }

  /**
   * Writes {@code value} without white space. Takes what {@link #read(String)} gives, and any other
   * {@code Number} of the JDK.
   *
   * @throws IllegalArgumentException for any other class, and for numbers that are not finite
   */
  public static String write(Object value) {
    var out = new StringBuilder(256);
    JsonWriter.append(out, value);
    return out.toString();
  }
}
