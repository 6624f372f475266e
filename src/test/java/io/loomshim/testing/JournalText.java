package io.loomshim.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads what is written for systemd's journal, as https://systemd.io/JOURNAL_NATIVE_PROTOCOL has it. */
public final class JournalText {
  private JournalText() {}

  /** The fields of an entry; one that comes twice has two values. */
  public static Map<String, List<String>> fields(byte[] datagram) {
    var fields = new TreeMap<String, List<String>>();
    var left = ByteBuffer.wrap(datagram).order(ByteOrder.LITTLE_ENDIAN);
    while (left.hasRemaining()) {
      var name = new StringBuilder();
      char c = (char) left.get();
      while (c != '=' && c != '\n') {
        name.append(c);
        c = (char) left.get();
      }
      assertEquals(name.toString(), name.toString().replaceAll("[^A-Z0-9_]", "?"));
      byte[] value = new byte[c == '=' ? lineLength(left) : Math.toIntExact(left.getLong())];
      left.get(value);
      assertEquals('\n', left.get());
      fields.computeIfAbsent(name.toString(), key -> new ArrayList<>()).add(new String(value, StandardCharsets.UTF_8));
    }
    return fields;
  }

  private static int lineLength(ByteBuffer left) {
    int end = left.position();
    while (left.get(end) != '\n') {
      end++;
    }
    return end - left.position();
  }
}
