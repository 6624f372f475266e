package io.loomshim.log;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.slf4j.event.Level;

/**
 * A line of the log, and its text in the form that containerd's own components use:
 * {@code time="…" level=warning msg="…" runtime=io.containerd.loom.v1 id=web-1}. Immutable.
 */
public final class LogLine {
  private final Level level;
  private final String message;
  private final String[] fields;

  /**
   * A line.
   *
   * @param fields alternating names and values; a name without a value is left out
   */
  LogLine(Level level, String message, String[] fields) {
    this.level = level;
    this.message = message;
    this.fields = fields;
  }

  /** A warning that {@code error} has happened. */
  public static LogLine warning(String id, String message, String error) {
    String[] fields = id.isEmpty() ? new String[] {"error", error} : new String[] {"id", id, "error", error};
    return new LogLine(Level.WARN, message, fields);
  }

  /** The container that the line is about, its field {@code id}; an empty string without one. */
  public String id() {
    String id = "";
    for (int i = 0; i + 1 < fields.length; i += 2) {
      if (fields[i].equals("id")) {
        id = fields[i + 1];
      }
    }
    return id;
  }

  /** The text for containerd with the time of now, in UTF-8 with a line feed at the end. */
  public byte[] text() {
    var line = new StringBuilder(160);
    line.append("time=\"").append(Instant.now().truncatedTo(ChronoUnit.MICROS));
    line.append("\" level=").append(word(level)).append(" msg=");
    quote(line, message);
    line.append(" runtime=io.containerd.loom.v1");
    appendFields(line);
    line.append('\n');
    return line.toString().getBytes(StandardCharsets.UTF_8);
  }

  /**
   * The entry for systemd's journal ({@link JournalEntry}).
   *
   * @param namespace the containerd namespace of the daemon
   * @param thread the name of the thread that logs
   */
  public byte[] entry(String namespace, String thread) {
    var text = new StringBuilder(message);
    appendFields(text);
    var entry = new JournalEntry(text.toString(), priority(level));
    entry.ours("namespace", namespace).ours("thread", thread);
    if (thread.startsWith("rpc/")) {
      int end = thread.indexOf('/', 4);
      entry.ours("method", thread.substring(4, end < 0 ? thread.length() : end));
    }
    for (int i = 0; i + 1 < fields.length; i += 2) {
      entry.ours(fields[i].equals("id") ? "container" : fields[i], fields[i + 1]);
    }
    return entry.bytes();
  }

  private void appendFields(StringBuilder line) {
    for (int i = 0; i + 1 < fields.length; i += 2) {
      line.append(' ').append(fields[i]).append('=');
      quote(line, fields[i + 1]);
    }
  }

  /** As containerd's components write it; no switch, which would load a class more. */
  private static String word(Level level) {
    return level == Level.WARN ? "warning" : level == Level.ERROR ? "error" : level == Level.INFO ? "info" : "debug";
  }

  /** As syslog(3) numbers them. */
  private static int priority(Level level) {
    return level == Level.WARN ? 4 : level == Level.ERROR ? 3 : level == Level.INFO ? 6 : 7;
  }

  /** Appends {@code text} bare when it is a plain word, else quoted with its control characters escaped. */
  private static void quote(StringBuilder line, String text) {
    if (isWord(text)) {
      line.append(text);
      return;
    }
    line.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"', '\\' -> line.append('\\').append(c);
        case '\n' -> line.append("\\n");
        case '\r' -> line.append("\\r");
        case '\t' -> line.append("\\t");
        default -> {
          if (c < ' ') {
            line.append("\\x").append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
          } else {
            line.append(c);
          }
        }
      }
    }
    line.append('"');
  }

  private static boolean isWord(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean plain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || "-._/@^+".indexOf(c) >= 0;
      if (!plain) {
        return false;
      }
    }
    return !text.isEmpty();
  }
}
