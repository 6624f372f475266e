package io.loomshim.record;

import java.io.BufferedInputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/**
 * Reads a record. What the end of its writer has cut off in the middle of an entry is left out; any other damage makes
 * the record unreadable, because what it says would be wrong. Stateless; any thread.
 */
public final class RecordFile {
  /** The name of the file in the run directory. */
  public static final String NAME = "record";

  /** Its name while it lacks what there was no room for; such a record is not to be used. */
  public static final String BEHIND = "record.behind";

  /** Its name once another daemon has begun in the same directory. */
  public static final String BEFORE = "record.1";

  /** All of these. */
  public static final Set<String> NAMES = Set.of(NAME, BEHIND, BEFORE);

  /** A record of more bytes is none of ours: 1000 containers have 2 MB. */
  private static final long BYTES_MAX = 1L << 30;

  private static final int BUFFER_BYTES = 64 << 10;

  /**
   * What a file holds.
   *
   * @param state the state after all whole entries
   * @param entries how many these are
   * @param bytes of the header and these entries
   * @param torn bytes of an entry that was cut off, 0 for none
   */
  public record Content(State state, int entries, int bytes, int torn) {}

  private RecordFile() {}

  /**
   * Reads {@code file}.
   *
   * @throws UnreadableException with a sentence, when it is not a record, has another version, or is damaged
   * @throws IOException when it cannot be read
   */
  public static Content read(Path file) throws IOException {
    if (Files.size(file) > BYTES_MAX) {
      throw new UnreadableException(file + " is not a record: it is larger than " + BYTES_MAX + " bytes");
    }
    // unlike a channel, not closed by an interrupt
    try (var input = new BufferedInputStream(new FileInputStream(file.toFile()), BUFFER_BYTES)) {
      return read(file.toString(), input);
    }
  }

  /** The same for {@code input}, of which one entry at a time is held; {@code name} is for the messages. */
  static Content read(String name, InputStream input) throws IOException {
    byte[] header = input.readNBytes(Format.HEADER_BYTES);
    Format.checkHeader(name, header, header.length);
    var state = new State();
    int entries = 0;
    int at = Format.HEADER_BYTES;
    byte[] bytes = input.readNBytes(Format.HEAD_BYTES);
    while (bytes.length == Format.HEAD_BYTES) {
      var head = ByteBuffer.wrap(bytes);
      int length = head.getInt();
      int bodyChecksum = head.getInt();
      if (head.getInt() != Format.checksum(bytes, 0, 2 * Integer.BYTES) || length < 0
          || length > Format.BODY_BYTES_MAX) {
        throw damaged(name, entries, at);
      }
      byte[] body = input.readNBytes(length);
      if (body.length < length) {
        return new Content(state, entries, at, Format.HEAD_BYTES + body.length); // cut off
      }
      if (bodyChecksum != Format.checksum(body, 0, length)) {
        throw damaged(name, entries, at);
      }
      try {
        state.apply(Format.changes(ByteBuffer.wrap(body)));
      } catch (IllegalArgumentException e) {
        throw damaged(name, entries, at);
      }
      entries++;
      at += Format.HEAD_BYTES + length;
      bytes = input.readNBytes(Format.HEAD_BYTES);
    }
    return new Content(state, entries, at, bytes.length);
  }

  private static UnreadableException damaged(String name, int entry, int at) {
    return new UnreadableException(name + " is damaged at byte " + at + ", in its entry " + (entry + 1));
  }
}
