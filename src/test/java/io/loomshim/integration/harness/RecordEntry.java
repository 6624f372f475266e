package io.loomshim.integration.harness;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/** Entries that a test adds to the record of a daemon, as if that had written them; of record/Format. Stateless. */
public final class RecordEntry {
  private static final byte PUT = 0;
  private static final byte REMOVE = 1;
  private static final int HEAD_BYTES = 3 * Integer.BYTES;

  private RecordEntry() {}

  /** Adds one that puts an empty value of {@code kind}. */
  public static void put(Path record, int kind, String key) throws IOException {
    add(record, PUT, kind, key);
  }

  /** Adds one that removes that. */
  public static void remove(Path record, int kind, String key) throws IOException {
    add(record, REMOVE, kind, key);
  }

  private static void add(Path record, byte operation, int kind, String key) throws IOException {
    byte[] name = key.getBytes(StandardCharsets.UTF_8);
    byte[] body = ByteBuffer.allocate(2 * Short.BYTES + 1 + Integer.BYTES + name.length).putShort((short) kind)
        .put(operation).putShort((short) name.length).putInt(0).put(name).array();
    ByteBuffer entry = ByteBuffer.allocate(HEAD_BYTES + body.length).putInt(body.length)
        .putInt(checksum(body, body.length));
    entry.putInt(checksum(entry.array(), 2 * Integer.BYTES)).put(body);
    Files.write(record, entry.array(), StandardOpenOption.APPEND);
  }

  /** That of the first {@code length} bytes. */
  public static int checksum(byte[] bytes, int length) {
    var checksum = new CRC32C();
    checksum.update(bytes, 0, length);
    return (int) checksum.getValue();
  }
}
