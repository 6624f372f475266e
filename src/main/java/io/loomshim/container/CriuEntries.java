package io.loomshim.container;

import io.loomshim.linux.WholeFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A file of a CRIU image, little-endian: four bytes that all such files begin with, four bytes that tell the kind, then
 * the entries, each a protobuf message after its length in four bytes.
 */
record CriuEntries(Path file, int kind, List<byte[]> entries) {
  private static final int MAGIC = 0x54564319;
  private static final int MAGIC_BYTES = 8;

  /** Reads {@code file}; fails when it is not of that kind, or not complete. */
  static CriuEntries read(Path file, int kind) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    if (in.remaining() < MAGIC_BYTES || in.getInt() != MAGIC || in.getInt() != kind) {
      throw new IOException(file + " is of no kind that is known");
    }
    var entries = new ArrayList<byte[]>();
    while (in.hasRemaining()) {
      int length = in.remaining() < Integer.BYTES ? -1 : in.getInt();
      if (length < 0 || length > in.remaining()) {
        throw new IOException(file + " ends within an entry");
      }
      byte[] entry = new byte[length];
      in.get(entry);
      entries.add(entry);
    }
    return new CriuEntries(file, kind, entries);
  }

  /** Writes a file with {@code others} in the place of the entries. */
  void write(List<byte[]> others) throws IOException {
    var out = new ByteArrayOutputStream();
    append(out, MAGIC);
    append(out, kind);
    for (byte[] entry : others) {
      append(out, entry.length);
      out.writeBytes(entry);
    }
    WholeFile.rewrite(file, out.toByteArray());
  }

  private static void append(ByteArrayOutputStream out, int number) {
    out.writeBytes(ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(number).array());
  }
}
