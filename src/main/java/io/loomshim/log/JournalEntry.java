package io.loomshim.log;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * An entry of systemd's journal as one datagram of its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL):
 * lines {@code FIELD=value}, and for a value with a line feed the name, a line feed, the length as 64 bits of
 * little-endian, and the bytes. Used by one thread.
 */
final class JournalEntry {
  /** What {@code journalctl -t} takes. */
  private static final String IDENTIFIER = "containerd-shim-loom-v1";
  /** Before the names of fields of ours, so that none has a meaning for systemd (systemd.journal-fields(7)). */
  private static final String PREFIX = "LOOMSHIM_";
  /** The journal drops fields with longer names. */
  private static final int NAME_CHARS_MAX = 64;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);

  /** An entry that {@code journalctl} shows as {@code message}, with a priority of syslog(3). */
  JournalEntry(String message, int priority) {
    field("MESSAGE", message);
    field("PRIORITY", Integer.toString(priority));
    field("SYSLOG_IDENTIFIER", IDENTIFIER);
  }

  /** Adds a field of ours: {@code LOOMSHIM_} and the name in capitals. A field that comes twice has both values. */
  JournalEntry ours(String name, String value) {
    var whole = new StringBuilder(PREFIX);
    for (int i = 0; i < name.length() && whole.length() < NAME_CHARS_MAX; i++) {
      char c = name.charAt(i);
      boolean capital = c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
      whole.append(c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : capital ? c : '_');
    }
    field(whole.toString(), value);
    return this;
  }

  private void field(String name, String value) {
    byte[] text = value.getBytes(StandardCharsets.UTF_8);
    bytes.writeBytes(name.getBytes(StandardCharsets.US_ASCII));
    if (value.indexOf('\n') < 0) {
      bytes.write('=');
    } else {
      bytes.write('\n');
      for (int i = 0; i < Long.BYTES; i++) {
        bytes.write((int) ((long) text.length >>> 8 * i));
      }
    }
    bytes.writeBytes(text);
    bytes.write('\n');
  }

  byte[] bytes() {
    return bytes.toByteArray();
  }
}
