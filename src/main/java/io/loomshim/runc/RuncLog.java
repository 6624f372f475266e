package io.loomshim.runc;

import io.loomshim.json.Json;
import io.loomshim.json.JsonException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What runc says about its failures in the log file. Every call of a container appends to the same file, so only what
 * stands behind the size from before a call belongs to it. (Calls of one container that run at the same moment share
 * that part.)
 *
 * <p>Stateless. It is in a bundle: what reads it may wait for the file system of that.
 */
final class RuncLog {
  /** What the log holds about one call. */
  sealed interface Finding {
    /** The last error entry's text. */
    record Message(String text) implements Finding {}

    /** The log was read and has no error entry. */
    record None() implements Finding {}

    /** The log could not be read, or is not a sequence of JSON objects. */
    record Unreadable(String why) implements Finding {}
  }

  private static final String MISSING = "no such file or directory";

  private RuncLog() {}

  /** The size of {@code log} in bytes; 0 when there is none. */
  static long size(Path log) {
    try {
      return Files.size(log);
    } catch (IOException e) {
      return 0; // no call has made one yet, or find() will say why it cannot be read
    }
  }

  /** Reads what was appended to {@code log} behind {@code offset}; a log that shrank is read from its start. */
  static Finding find(Path log, long offset) {
    try {
      return find(read(log, offset));
    } catch (JsonException e) {
      return new Finding.Unreadable(e.getMessage());
    } catch (FileNotFoundException e) {
      return new Finding.Unreadable("open " + log + ": " + (Files.exists(log) ? e.getMessage() : MISSING));
    } catch (IOException e) {
      return new Finding.Unreadable("read " + log + ": " + e.getMessage());
    }
  }

  private static String read(Path log, long offset) throws IOException {
    // not a FileChannel: an interrupt during a read of one comes back only when the read does
    try (var file = new RandomAccessFile(log.toFile(), "r")) {
      long size = file.length();
      long from = offset > size ? 0 : offset;
      boolean cut = size - from > RuncLimits.LOG_BYTES_MAX;
      from = cut ? size - RuncLimits.LOG_BYTES_MAX : from;
      var bytes = new byte[(int) (size - from)];
      file.seek(from);
      int length = 0;
      int count = 0;
      while (count >= 0 && length < bytes.length) { // until all is read, or the file has been truncated
        length += count;
        count = file.read(bytes, length, bytes.length - length);
      }
      var text = new String(bytes, 0, length, StandardCharsets.UTF_8);
      return cut ? text.substring(text.indexOf('\n') + 1) : text;
    }
  }

  /** The message of the last entry of level error in {@code text}, entries one after the other. */
  static Finding find(String text) throws JsonException {
    Finding finding = new Finding.None();
    List<Object> entries = Json.readAll(text);
    for (Object entry : entries) {
      var members = Json.object(entry);
      if (members.isEmpty()) {
        return new Finding.Unreadable("an entry is not a JSON object");
      }
      String level = "";
      String message = "";
      for (var member : members.get().entrySet()) {
        if (member.getKey().equalsIgnoreCase("level") && member.getValue() instanceof String value) {
          level = value;
        } else if (member.getKey().equalsIgnoreCase("msg") && member.getValue() instanceof String value) {
          message = value;
        }
      }
      if (level.equals("error")) {
        String trimmed = message.strip();
        finding = trimmed.isEmpty() ? new Finding.None() : new Finding.Message(trimmed);
      }
    }
    return finding;
  }
}
