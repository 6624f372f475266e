package io.loomshim.toml;

/** Reads one line of TOML from left to right. */
final class LineScanner {
  private final String line;
  private final int number;
  private int at;

  LineScanner(String line, int number) {
    this.line = line;
    this.number = number;
  }

  /** Skips blanks; whether nothing but a comment is left. */
  boolean atEnd() {
    while (at < line.length() && (line.charAt(at) == ' ' || line.charAt(at) == '\t')) {
      at++;
    }
    return at == line.length() || line.charAt(at) == '#';
  }

  /** A key and the equals sign after it. */
  String key() throws TomlException {
    char first = line.charAt(at);
    if (first == '[') {
      throw error("tables are not supported");
    }
    String key = first == '"' || first == '\'' ? string() : bare();
    if (atEnd() || line.charAt(at) != '=') {
      throw error("an equals sign is missing after " + key);
    }
    at++;
    return key;
  }

  private String bare() throws TomlException {
    int begin = at;
    while (at < line.length() && isBare(line.charAt(at))) {
      at++;
    }
    if (begin == at) {
      throw error("a key is missing");
    }
    return line.substring(begin, at);
  }

  private static boolean isBare(char c) {
    return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-';
  }

  /** A string, an integer or a boolean. */
  Object value() throws TomlException {
    if (atEnd()) {
      throw error("a value is missing");
    }
    char first = line.charAt(at);
    if (first == '"' || first == '\'') {
      return string();
    }
    int begin = at;
    while (at < line.length() && " \t#,]}".indexOf(line.charAt(at)) < 0) {
      at++;
    }
    String word = line.substring(begin, at);
    return switch (word) {
      case "true" -> Boolean.TRUE;
      case "false" -> Boolean.FALSE;
      default -> integer(word);
    };
  }

  /** Decimal, hexadecimal, octal or binary, with single underscores between digits. */
  private Long integer(String word) throws TomlException {
    boolean signed = word.startsWith("+") || word.startsWith("-");
    String digits = signed ? word.substring(1) : word;
    int radix = 10;
    if (digits.startsWith("0x")) {
      radix = 16;
    } else if (digits.startsWith("0o")) {
      radix = 8;
    } else if (digits.startsWith("0b")) {
      radix = 2;
    }
    digits = radix == 10 ? digits : digits.substring(2);
    boolean leadingZero = radix == 10 && digits.length() > 1 && digits.startsWith("0");
    boolean strayUnderscore = digits.startsWith("_") || digits.endsWith("_") || digits.contains("__");
    boolean straySign = digits.startsWith("+") || digits.startsWith("-") || signed && radix != 10;
    try {
      if (!leadingZero && !strayUnderscore && !straySign) {
        return Long.valueOf((word.startsWith("-") ? "-" : "") + digits.replace("_", ""), radix);
      }
    } catch (NumberFormatException e) {
      // said below, with the whole word
    }
    throw error("\"" + word + "\" is not a string, integer or boolean");
  }

  private String string() throws TomlException {
    char quote = line.charAt(at++);
    if (line.startsWith("" + quote + quote, at)) {
      throw error("strings of several lines are not supported");
    }
    var text = new StringBuilder();
    while (at < line.length()) {
      char c = line.charAt(at++);
      if (c == quote) {
        return text.toString();
      }
      if (c < ' ' && c != '\t' || c == 0x7f) {
        throw error("a string holds a control character");
      }
      if (c == '\\' && quote == '"') {
        escape(text);
      } else {
        text.append(c);
      }
    }
    throw error("a string is not closed");
  }

  private void escape(StringBuilder text) throws TomlException {
    if (at == line.length()) {
      throw error("a string is not closed");
    }
    char c = line.charAt(at++);
    switch (c) {
      case 'b' -> text.append('\b');
      case 't' -> text.append('\t');
      case 'n' -> text.append('\n');
      case 'f' -> text.append('\f');
      case 'r' -> text.append('\r');
      case '"', '\\' -> text.append(c);
      case 'u' -> text.appendCodePoint(codePoint(4));
      case 'U' -> text.appendCodePoint(codePoint(8));
      default -> throw error("\\" + c + " is not an escape sequence");
    }
  }

  private int codePoint(int digits) throws TomlException {
    int end = at + digits;
    try {
      int code = end <= line.length() ? Integer.parseInt(line.substring(at, end), 16) : -1;
      at = end;
      if (Character.isValidCodePoint(code) && !(code >= 0xd800 && code <= 0xdfff)) {
        return code;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw error("a character escape needs " + digits + " hexadecimal digits of a Unicode scalar value");
  }

  private TomlException error(String what) {
    return new TomlException(number, what);
  }
}
