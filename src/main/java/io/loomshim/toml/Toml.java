package io.loomshim.toml;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads a flat TOML document (TOML 1.0): comments, bare and quoted keys, basic and literal strings on one line,
 * integers and booleans. What goes beyond that (tables, arrays, dates, floats, strings of several lines) is refused
 * with its line, as no runtime option has such a value. Stateless.
 */
public final class Toml {
  /** More than all options together take; a larger text is no options file. */
  public static final int LENGTH_MAX = 64 * 1024;

  private Toml() {}

  /**
   * Returns the values by key, each a {@code String}, {@code Long} or {@code Boolean}, in the order of the text.
   *
   * @throws TomlException with the number of the line that cannot be read
   */
  public static Map<String, Object> read(String text) throws TomlException {
    if (text.length() > LENGTH_MAX) {
      throw new TomlException(1, "the text is longer than " + LENGTH_MAX + " characters");
    }
    var values = new LinkedHashMap<String, Object>();
    int number = 0;
    for (String line : text.split("\n", -1)) {
      number++;
      var scanner = new LineScanner(line.endsWith("\r") ? line.substring(0, line.length() - 1) : line, number);
      if (scanner.atEnd()) {
        continue;
      }
      String key = scanner.key();
      Object value = scanner.value();
      if (!scanner.atEnd()) {
        throw new TomlException(number, "unexpected text after the value of " + key);
      }
      if (values.putIfAbsent(key, value) != null) {
        throw new TomlException(number, key + " is set twice");
      }
    }
    return values;
  }
}
