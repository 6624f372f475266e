package io.loomshim.runc;

/** Reads the words of a POSIX shell with its quotes, and {@code $'…'}; no expansions. Used by one thread. */
final class ShellWords {
  private static final String ESCAPES = "abefnrtv";
  private static final String ESCAPED = "\007\b\033\f\n\r\t\013";

  private final String text;
  private int at;

  ShellWords(String text) {
    this.text = text;
  }

  boolean more() {
    return at < text.length();
  }

  /** What stands before {@code end} or the end of the line. */
  String until(char end) {
    int from = at;
    while (more() && text.charAt(at) != end && text.charAt(at) != '\n') {
      at++;
    }
    return text.substring(from, at);
  }

  /** Whether {@code c} is next, which is read then. */
  boolean at(char c) {
    boolean next = more() && text.charAt(at) == c;
    if (next) {
      at++;
    }
    return next;
  }

  /** Reads the line feed that must be next. */
  void endLine() {
    if (!at('\n')) {
      throw new IllegalArgumentException("no end of a line at " + at);
    }
  }

  /** One word, to the end of its line. */
  String word() {
    var word = new StringBuilder();
    while (more() && text.charAt(at) != '\n') {
      if (at('\'')) {
        single(word);
      } else if (at('"')) {
        twofold(word);
      } else if (text.startsWith("$'", at)) {
        at += 2;
        escaped(word);
      } else {
        at('\\');
        word.append(next());
      }
    }
    return word.toString();
  }

  private char next() {
    if (!more()) {
      throw new IllegalArgumentException("no end of a word");
    }
    return text.charAt(at++);
  }

  private void single(StringBuilder word) {
    for (char c = next(); c != '\''; c = next()) {
      word.append(c);
    }
  }

  /** In "…", a backslash counts before what would have a meaning. */
  private void twofold(StringBuilder word) {
    for (char c = next(); c != '"'; c = next()) {
      if (c != '\\') {
        word.append(c);
        continue;
      }
      char second = next();
      if ("$`\"\\".indexOf(second) < 0) {
        word.append(c);
      }
      if (second != '\n') {
        word.append(second);
      }
    }
  }

  /** In $'…', as C has it. */
  private void escaped(StringBuilder word) {
    for (char c = next(); c != '\''; c = next()) {
      if (c != '\\') {
        word.append(c);
        continue;
      }
      char second = next();
      int known = ESCAPES.indexOf(second);
      if (known >= 0) {
        word.append(ESCAPED.charAt(known));
      } else if (second == 'E') {
        word.append('\033');
      } else if (second >= '0' && second <= '7') {
        int value = second - '0';
        for (int i = 0; i < 2 && more() && text.charAt(at) >= '0' && text.charAt(at) <= '7'; i++) {
          value = 8 * value + next() - '0';
        }
        word.append((char) value);
      } else {
        word.append(second);
      }
    }
  }
}
