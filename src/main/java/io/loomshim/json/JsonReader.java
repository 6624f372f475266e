package io.loomshim.json;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads JSON values one after the other from a text. Strict (RFC 8259): no comments, no trailing commas, no leading
 * zeros, no raw control characters in strings. Of members with the same name the last one counts; half of a
 * surrogate pair becomes U+FFFD, as in Go's reader.
 *
 * <p>Not safe for use by several threads; each text has its own reader.
 */
final class JsonReader {
  /** Characters of one text: four times the largest ttrpc message, which is 4 MiB. */
  static final int TEXT_CHARS_MAX = 16 << 20;
  /** Objects and arrays inside each other: a runtime configuration has about 10; the recursion must stay shallow. */
  static final int DEPTH_MAX = 256;
  /** Characters of one number: 64-bit integers have 20; reading long ones takes quadratic time. */
  static final int NUMBER_CHARS_MAX = 128;
  /** Decimal places that a number is shifted by: covers a double; 1E+999999999 as an integer would take all memory. */
  static final int EXPONENT_MAX = 512;

  /** Digits of an exponent that are read; one with more, leading zeros among them, is out of range. */
  private static final int EXPONENT_DIGITS_MAX = 9;

  private static final char REPLACEMENT = '\uFFFD';

  private final char[] text; // no method call for each of them: they are read before there is compiled code
  private int at;

  JsonReader(String text) throws JsonException {
    this.text = text.toCharArray();
    if (text.length() > TEXT_CHARS_MAX) {
      throw new JsonException(TEXT_CHARS_MAX, "longer than " + TEXT_CHARS_MAX + " characters");
    }
  }

  /** The next value, or nothing when only white space is left. */
  Optional<Object> next() throws JsonException {
    skipSpace();
    return at == text.length ? Optional.empty() : Optional.of(value(0));
  }

  /** Fails unless only white space is left. */
  void expectEnd() throws JsonException {
    skipSpace();
    if (at < text.length) {
      throw unexpected("after the value");
    }
  }

  private Object value(int depth) throws JsonException {
    if (depth > DEPTH_MAX) {
      throw new JsonException(at, "nested deeper than " + DEPTH_MAX);
    }
    return switch (peek()) {
      case '{' -> object(depth);
      case '[' -> array(depth);
      case '"' -> string();
      case 't' -> word("true", Boolean.TRUE);
      case 'f' -> word("false", Boolean.FALSE);
      case 'n' -> word("null", Json.NULL);
      case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> number();
      default -> throw unexpected("where a value should stand");
    };
  }

  private Map<String, Object> object(int depth) throws JsonException {
    var members = new LinkedHashMap<String, Object>();
    at++;
    skipSpace();
    if (take('}')) {
      return members;
    }
    while (true) {
      skipSpace();
      if (peek() != '"') {
        throw unexpected("where a member's name should stand");
      }
      String name = string();
      skipSpace();
      if (!take(':')) {
        throw unexpected("where ':' should stand");
      }
      skipSpace();
      members.put(name, value(depth + 1));
      skipSpace();
      if (take('}')) {
        return members;
      }
      if (!take(',')) {
        throw unexpected("where ',' or '}' should stand");
      }
    }
  }

  private List<Object> array(int depth) throws JsonException {
    var elements = new ArrayList<>();
    at++;
    skipSpace();
    if (take(']')) {
      return elements;
    }
    while (true) {
      skipSpace();
      elements.add(value(depth + 1));
      skipSpace();
      if (take(']')) {
        return elements;
      }
      if (!take(',')) {
        throw unexpected("where ',' or ']' should stand");
      }
    }
  }

  private String string() throws JsonException {
    int start = ++at;
    int end = at;
    while (end < text.length) {
      char c = text[end];
      if (c < ' ' || c == '"' || c == '\\' || c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
        break;
      }
      end++;
    }
    at = end;
    if (take('"')) {
      return new String(text, start, at - 1 - start);
    }
    var out = new StringBuilder(at - start + 32).append(text, start, at - start);
    while (true) {
      char c = peek();
      if (c < ' ') {
        throw unexpected("in a string");
      }
      at++;
      if (c == '"') {
        return out.toString();
      }
      if (c == '\\') {
        c = escape();
      }
      appendUnit(out, c);
    }
  }

  /** Appends a UTF-16 unit; a high one takes its low one along, one alone is replaced. */
  private void appendUnit(StringBuilder out, char c) throws JsonException {
    if (!Character.isSurrogate(c)) {
      out.append(c);
      return;
    }
    int back = at;
    if (Character.isHighSurrogate(c) && at < text.length) {
      char low = text[at++];
      if (low == '\\' && at < text.length && text[at] == 'u') {
        low = escape();
      }
      if (Character.isLowSurrogate(low)) {
        out.append(c).append(low);
        return;
      }
    }
    at = back;
    out.append(REPLACEMENT);
  }

  /** The character after a backslash that has been taken. */
  private char escape() throws JsonException {
    char c = peek();
    at++;
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> {
        int unit = 0;
        for (int i = 0; i < 4; i++) {
          int digit = hex(peek());
          if (digit < 0) {
            throw unexpected("where a hexadecimal digit should stand");
          }
          at++;
          unit = unit << 4 | digit;
        }
        yield (char) unit;
      }
      default -> {
        at--;
        throw unexpected("after a backslash");
      }
    };
  }

  private static int hex(char c) {
    return c < 128 ? Character.digit(c, 16) : -1;
  }

  private JsonNumber number() throws JsonException {
    int start = at;
    take('-');
    if (!take('0')) {
      digits();
    }
    int places = 0;
    if (take('.')) {
      int first = at;
      digits();
      places = at - first;
    }
    long exponent = 0;
    if (take('e') || take('E')) {
      boolean negative = take('-');
      if (!negative) {
        take('+');
      }
      int first = at;
      digits();
      exponent = at - first > EXPONENT_DIGITS_MAX ? Integer.MAX_VALUE : integer(first);
      exponent = negative ? -exponent : exponent;
    }
    if (at - start > NUMBER_CHARS_MAX) {
      throw new JsonException(start, "a number of more than " + NUMBER_CHARS_MAX + " characters");
    }
    if (Math.abs(places - exponent) > EXPONENT_MAX) {
      throw new JsonException(start, "a number whose exponent is out of range");
    }
    return new JsonNumber(new String(text, start, at - start));
  }

  /** The digits from {@code first} to here. */
  private int integer(int first) {
    int number = 0;
    for (int i = first; i < at; i++) {
      number = 10 * number + text[i] - '0';
    }
    return number;
  }

  private void digits() throws JsonException {
    int start = at;
    while (at < text.length && text[at] >= '0' && text[at] <= '9') {
      at++;
    }
    if (at == start) {
      throw unexpected("where a digit should stand");
    }
  }

  private Object word(String word, Object value) throws JsonException {
    int end = at + word.length();
    if (end > text.length || !word.equals(new String(text, at, word.length()))) {
      throw unexpected("where a value should stand");
    }
    at = end;
    return value;
  }

  private void skipSpace() {
    while (at < text.length && text[at] <= ' ' && " \t\r\n".indexOf(text[at]) >= 0) {
      at++;
    }
  }

  private boolean take(char c) {
    if (at < text.length && text[at] == c) {
      at++;
      return true;
    }
    return false;
  }

  private char peek() throws JsonException {
    if (at == text.length) {
      throw new JsonException(at, "the text ends too early");
    }
    return text[at];
  }

  private JsonException unexpected(String where) {
    if (at >= text.length) {
      return new JsonException(at, "the text ends too early");
    }
    char c = text[at];
    String shown = c > ' ' && c < 127 ? "'" + c + "'" : "U+" + Integer.toHexString(0x10000 | c).substring(1);
    return new JsonException(at, "unexpected " + shown + " " + where);
  }
}
