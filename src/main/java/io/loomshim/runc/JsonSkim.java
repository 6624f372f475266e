package io.loomshim.runc;

import io.loomshim.json.Json;
import io.loomshim.json.JsonException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The members of one object in a JSON text, found without reading what they hold: of the state of a container, nine
 * tenths are a seccomp profile that is of no interest here, and to read it all takes longer than all else together. The
 * text must be valid where it is skipped; what is read is checked. Used by one thread.
 */
final class JsonSkim {
  private final byte[] text;
  private final Map<String, int[]> members = new HashMap<>(); // where the value begins and ends
  private int at;

  private JsonSkim(byte[] text, int from) {
    this.text = text;
    this.at = from;
  }

  /** Those of the object that is the whole {@code text}; nothing for another text. */
  static Optional<JsonSkim> of(byte[] text) {
    var skim = new JsonSkim(text, 0);
    return skim.scan() && skim.next() == 0 ? Optional.of(skim) : Optional.empty();
  }

  /** Those of the object that is the value of {@code name}; nothing for another value. */
  Optional<JsonSkim> object(String name) {
    int[] place = members.get(name);
    if (place == null) {
      return Optional.empty();
    }
    var skim = new JsonSkim(text, place[0]);
    return skim.scan() ? Optional.of(skim) : Optional.empty();
  }

  /** The value of {@code name}, as {@link Json#read} gives it; {@link Json#NULL} where there is none. */
  Object value(String name) throws JsonException {
    int[] place = members.get(name);
    return place == null ? Json.NULL
        : Json.read(new String(text, place[0], place[1] - place[0], StandardCharsets.UTF_8));
  }

  /** The next byte that is no white space, 0 at the end. */
  private int next() {
    while (at < text.length && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r')) {
      at++;
    }
    return at < text.length ? text[at] : 0;
  }

  private boolean take(int c) {
    boolean there = next() == c;
    if (there) {
      at++;
    }
    return there;
  }

  /** Reads an object from here on; whether it is one. */
  private boolean scan() {
    if (!take('{')) {
      return false;
    }
    if (take('}')) {
      return true;
    }
    do {
      if (next() != '"') {
        return false;
      }
      int from = at + 1;
      skipString();
      if (at > text.length) {
        return false;
      }
      String name = new String(text, from, at - 1 - from, StandardCharsets.UTF_8);
      if (!take(':')) {
        return false;
      }
      next();
      int begin = at;
      skipValue();
      if (at == begin) {
        return false;
      }
      members.put(name, new int[] {begin, at});
    } while (take(','));
    return take('}');
  }

  /** From the quote on, over the string and its other quote; behind the end if there is none. */
  private void skipString() {
    at++;
    while (at < text.length && text[at] != '"') {
      at += text[at] == '\\' ? 2 : 1;
    }
    at++;
  }

  /** Over one value, or to the end. */
  private void skipValue() {
    int depth = 0;
    while (at < text.length) {
      byte c = text[at];
      if (c == '"') {
        skipString();
      } else if (c == '{' || c == '[') {
        depth++;
        at++;
      } else if (c == '}' || c == ']') {
        if (depth == 0) {
          return;
        }
        depth--;
        at++;
      } else if (c == ',' && depth == 0) {
        return;
      } else {
        at++;
        continue;
      }
      if (depth == 0 && c != ',') {
        return;
      }
    }
  }
}
