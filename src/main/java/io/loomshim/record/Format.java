package io.loomshim.record;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The bytes of a record. All numbers are big-endian.
 *
 * <pre>
 * file    = header entry*
 * header  = "loomrec\n" version:4 crc32c:4          of the 12 bytes before it
 * entry   = length:4 body-crc32c:4 head-crc32c:4 body
 * body    = change+                                  length bytes
 * change  = kind:2 operation:1 key-length:2 value-length:4 key value
 * </pre>
 *
 * <p>The head has a checksum of its own, so that a wrong length is not taken for an entry that was cut off. Pure.
 */
final class Format {
  /** Raised when a reader of the version before would misunderstand the file. */
  static final int VERSION = 1;
  static final int HEADER_BYTES = 16;
  static final int HEAD_BYTES = 12;
  /** A call has 4 MiB at most, and an entry the values of one call. */
  static final int BODY_BYTES_MAX = 16 << 20;

  private static final byte[] MAGIC = "loomrec\n".getBytes(StandardCharsets.US_ASCII);
  private static final int CHANGE_BYTES = 9; // before key and value

  private Format() {}

  static byte[] header() {
    var buffer = ByteBuffer.allocate(HEADER_BYTES);
    buffer.put(MAGIC).putInt(VERSION);
    return buffer.putInt(checksum(buffer.array(), 0, buffer.position())).array();
  }

  /**
   * Checks the beginning of a file.
   *
   * @param name the file, for the message
   */
  static void checkHeader(String name, byte[] file, int length) throws UnreadableException {
    var buffer = ByteBuffer.wrap(file, 0, length);
    if (length < HEADER_BYTES) {
      throw new UnreadableException(name + " is not a record: it has " + length + " bytes");
    }
    for (byte expected : MAGIC) {
      if (buffer.get() != expected) {
        throw new UnreadableException(name + " is not a record: it begins otherwise");
      }
    }
    int version = buffer.getInt();
    if (buffer.getInt() != checksum(file, 0, HEADER_BYTES - Integer.BYTES)) {
      throw new UnreadableException(name + " is damaged in its header");
    }
    if (version != VERSION) {
      throw new UnreadableException(name + " has version " + version + ", and this build reads version " + VERSION);
    }
  }

  /** Writes the whole file that amounts to {@code state}. */
  static void write(State state, OutputStream file) throws IOException {
    file.write(header());
    for (Change change : state.changes()) {
      file.write(entry(change));
    }
  }

  /** One entry with these changes. */
  static byte[] entry(Change... changes) {
    var keys = new byte[changes.length][];
    int length = 0;
    for (int i = 0; i < changes.length; i++) {
      keys[i] = changes[i].key().getBytes(StandardCharsets.UTF_8);
      length += CHANGE_BYTES + keys[i].length + changes[i].value().size();
    }
    var entry = ByteBuffer.allocate(HEAD_BYTES + length);
    entry.position(HEAD_BYTES);
    for (int i = 0; i < changes.length; i++) {
      put(entry, changes[i], keys[i]);
    }
    entry.putInt(0, length).putInt(Integer.BYTES, checksum(entry.array(), HEAD_BYTES, length));
    entry.putInt(2 * Integer.BYTES, checksum(entry.array(), 0, 2 * Integer.BYTES));
    return entry.array();
  }

  private static void put(ByteBuffer entry, Change change, byte[] key) {
    entry.putShort((short) change.kind()).put((byte) change.operation().ordinal()).putShort((short) key.length);
    entry.putInt(change.value().size()).put(key);
    change.value().copyTo(entry);
  }

  /** The changes of an entry's body, which has been checked; throws IllegalArgumentException for what is none. */
  static List<Change> changes(ByteBuffer body) {
    var changes = new ArrayList<Change>(2);
    while (body.remaining() >= CHANGE_BYTES) {
      int kind = Short.toUnsignedInt(body.getShort());
      int operation = body.get();
      int keyLength = Short.toUnsignedInt(body.getShort());
      int valueLength = body.getInt();
      if (operation < 0 || operation > Change.Operation.FORGET.ordinal() || valueLength < 0
          || (long) keyLength + valueLength > body.remaining()) {
        throw new IllegalArgumentException("no change");
      }
      var key = new String(body.array(), body.arrayOffset() + body.position(), keyLength, StandardCharsets.UTF_8);
      body.position(body.position() + keyLength);
      var value = ByteString.copyFrom(body, valueLength);
      changes.add(new Change(OPERATIONS[operation], kind, key, value));
    }
    if (body.hasRemaining()) {
      throw new IllegalArgumentException("no change");
    }
    return changes;
  }

  private static final Change.Operation[] OPERATIONS = Change.Operation.values();

  static int checksum(byte[] bytes, int offset, int length) {
    var checksum = new CRC32C();
    checksum.update(bytes, offset, length);
    return (int) checksum.getValue();
  }
}
