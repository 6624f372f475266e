package io.loomshim.stdio;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * A URI (RFC 3986) where a client says where output goes. Read as leniently as by containerd, whose clients write
 * such URIs: blanks and characters that should be escaped count for themselves, and a host is not looked at.
 * {@link java.net.URI} refuses some of them. A value; no I/O.
 *
 * @param scheme in small letters
 * @param path absolute, escapes resolved
 * @param query with its escapes, may be empty
 */
record StdioUri(String scheme, String path, String query) {
  /**
   * Reads {@code text}; nothing when it has no scheme, and so is a path that counts letter by letter.
   *
   * @throws StatusException INVALID_ARGUMENT {@code unable to parse stdout uri: …}
   */
  static Optional<StdioUri> parse(String text) {
    int colon = schemeEnd(text);
    if (colon < 0) {
      return Optional.empty();
    }
    if (colon == 0) {
      throw unreadable(text, "missing protocol scheme");
    }
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) < ' ' || text.charAt(i) == 0x7f) {
        throw unreadable(text, "invalid control character in URL");
      }
    }
    String rest = before(text.substring(colon + 1), '#');
    String query = rest.substring(Math.min(rest.length(), before(rest, '?').length() + 1));
    rest = before(rest, '?');
    if (rest.startsWith("//")) {
      int slash = rest.indexOf('/', 2);
      rest = slash < 0 ? "" : rest.substring(slash);
    }
    if (!rest.startsWith("/")) {
      throw unreadable(text, "an absolute path is missing");
    }
    String path =
        unescaped(rest, false).orElseThrow(() -> unreadable(text, "invalid URL escape"));
    return Optional.of(new StdioUri(text.substring(0, colon).toLowerCase(Locale.ROOT), path, query));
  }

  /** The place of the colon after a scheme; −1 when there is none. */
  private static int schemeEnd(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean letter = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
      boolean later = c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.';
      if (c == ':') {
        return i;
      }
      if (!letter && (!later || i == 0)) {
        return -1;
      }
    }
    return -1;
  }

  private static String before(String text, char end) {
    int at = text.indexOf(end);
    return at < 0 ? text : text.substring(0, at);
  }

  /**
   * The arguments that the query stands for: each key once, in the order of the text, and its first value. Pairs
   * with a broken escape or a semicolon are left out, as by containerd.
   */
  List<String> arguments() {
    var arguments = new ArrayList<String>();
    Set<String> keys = new HashSet<>();
    for (String pair : query.split("&")) {
      if (pair.isEmpty() || pair.indexOf(';') >= 0) {
        continue;
      }
      String rawKey = before(pair, '=');
      Optional<String> key = unescaped(rawKey, true);
      Optional<String> value = unescaped(pair.substring(Math.min(pair.length(), rawKey.length() + 1)), true);
      if (key.isPresent() && value.isPresent() && keys.add(key.get())) {
        arguments.add(key.get());
        arguments.add(value.get());
      }
    }
    return arguments;
  }

  /** Resolves escapes; nothing when one is broken, or when a NUL or no UTF-8 comes of it. */
  private static Optional<String> unescaped(String text, boolean plusIsBlank) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    var plain = ByteBuffer.allocate(bytes.length);
    for (int i = 0; i < bytes.length; i++) {
      byte b = bytes[i];
      if (b == '%') {
        int high = i + 2 < bytes.length ? Character.digit(bytes[i + 1], 16) : -1;
        int low = i + 2 < bytes.length ? Character.digit(bytes[i + 2], 16) : -1;
        if (high < 0 || low < 0 || high + low == 0) {
          return Optional.empty();
        }
        b = (byte) (high << 4 | low);
        i += 2;
      } else if (b == '+' && plusIsBlank) {
        b = ' ';
      }
      plain.put(b);
    }
    try {
      return Optional.of(StandardCharsets.UTF_8.newDecoder().decode(plain.flip()).toString());
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }

  private static StatusException unreadable(String text, String why) {
    return new StatusException(
        Code.INVALID_ARGUMENT, "unable to parse stdout uri: parse \"" + printable(text) + "\": " + why);
  }

  /** Control characters would spoil a log. */
  private static String printable(String text) {
    return text.replaceAll("\\p{Cntrl}", "?");
  }
}
