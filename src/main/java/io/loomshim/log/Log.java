package io.loomshim.log;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Log lines in the text form that containerd's own components use:
 * {@code time="…" level=warning msg="…" runtime=io.containerd.loom.v1 id=web-1}.
 *
 * <p>Fields are given as alternating names and values; the field {@code id} (a container id) also
 * tells the sink whose log the line belongs to. May be called from any thread; never throws.
 */
public final class Log {
  /** Takes finished lines. Must not throw and must not block for long. */
  public interface Sink {
    /**
     * Writes one line.
     *
     * @param id the container that the line is about, or an empty string
     * @param line UTF-8 text that ends with a line feed
     */
    void write(String id, byte[] line);
  }

  /** Where lines go until somebody says otherwise; no lambda, as those cost 10 ms before the first one works. */
  private static final class Stderr implements Sink {
    @Override
    public void write(String id, byte[] line) {
      System.err.write(line, 0, line.length);
    }
  }

  private static final AtomicReference<Sink> SINK = new AtomicReference<>(new Stderr());
  private static volatile boolean debug;

  private Log() {}

  /** Sends all further lines to {@code sink}. */
  public static void to(Sink sink) {
    SINK.set(sink);
  }

  /** Switches lines of level debug on or off; they are off at first. */
  public static void debug(boolean on) {
    debug = on;
  }

  public static void debug(String message, String... fields) {
    if (debug) {
      log("debug", message, fields);
    }
  }

  public static void info(String message, String... fields) {
    log("info", message, fields);
  }

  public static void warn(String message, String... fields) {
    log("warning", message, fields);
  }

  public static void error(String message, String... fields) {
    log("error", message, fields);
  }

  /** Loads what a line needs: a class that could not be loaded for want of memory would never work again. */
  public static void prepare() {
    line("info", "", new String[0]);
  }

  private static void log(String level, String message, String[] fields) {
    String id = "";
    for (int i = 0; i + 1 < fields.length; i += 2) {
      if (fields[i].equals("id")) {
        id = fields[i + 1];
      }
    }
    SINK.get().write(id, line(level, message, fields));
  }

  private static byte[] line(String level, String message, String[] fields) {
    var line = new StringBuilder(160);
    line.append("time=\"").append(Instant.now().truncatedTo(ChronoUnit.MICROS));
    line.append("\" level=").append(level).append(" msg=");
    quote(line, message);
    line.append(" runtime=io.containerd.loom.v1");
    for (int i = 0; i + 1 < fields.length; i += 2) {
      line.append(' ').append(fields[i]).append('=');
      quote(line, fields[i + 1]);
    }
    line.append('\n');
    return line.toString().getBytes(StandardCharsets.UTF_8);
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
