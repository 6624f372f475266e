package io.loomshim.record;

import java.io.FileInputStream;
import java.io.IOException;
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
    byte[] bytes;
    try (var input = new FileInputStream(file.toFile())) { // unlike a channel, not closed by an interrupt
      bytes = input.readAllBytes();
    }
    return read(file.toString(), bytes, bytes.length);
  }

  /** The same for the first {@code length} bytes of {@code file}; {@code name} is for the messages. */
  static Content read(String name, byte[] file, int length) throws UnreadableException {
    Format.checkHeader(name, file, length);
    var state = new State();
    int entries = 0;
    int at = Format.HEADER_BYTES;
    while (length - at >= Format.HEAD_BYTES) {
      var head = ByteBuffer.wrap(file, at, Format.HEAD_BYTES);
      int body = head.getInt();
      int bodyChecksum = head.getInt();
      if (head.getInt() != Format.checksum(file, at, 2 * Integer.BYTES) || body < 0 || body > Format.BODY_BYTES_MAX) {
        throw damaged(name, entries, at);
      }
      int begin = at + Format.HEAD_BYTES;
      if (body > length - begin) {
        break; // cut off
      }
      if (bodyChecksum != Format.checksum(file, begin, body)) {
        throw damaged(name, entries, at);
      }
      try {
        state.apply(Format.changes(ByteBuffer.wrap(file, begin, body)));
      } catch (IllegalArgumentException e) {
        throw damaged(name, entries, at);
      }
      entries++;
      at = begin + body;
    }
    return new Content(state, entries, at, length - at);
  }

  private static UnreadableException damaged(String name, int entry, int at) {
    return new UnreadableException(name + " is damaged at byte " + at + ", in its entry " + (entry + 1));
  }
}
