package io.loomshim.container;

import io.loomshim.json.Json;
import io.loomshim.proto.criu.FileEntry;
import io.loomshim.stdio.OuterFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The image of a container that CRIU has just written to a directory.
 *
 * <p>On a restore, runc gives a new descriptor 0, 1 or 2 in the place of whatever {@code descriptors.json} has a name
 * with {@code pipe:} for, which CRIU finds by that name in the image. Streams that are files of the host are given
 * such names here, so that every runc shim can restore the image, whatever its own streams are.
 */
record CriuImage(Path directory) {
  /** The first eight bytes of CRIU's files.img, little-endian: the kind of all images, and that of this one. */
  private static final long FILES_MAGIC = 0x56303138_54564319L;

  private static final int MAGIC_BYTES = 8;

  /** What CRIU calls a file that it was told to leave out. */
  static String dumpedName(OuterFile file) {
    return "file[" + Integer.toHexString(file.mount()) + ":" + Long.toHexString(file.inode()) + "]";
  }

  /** Not the name of any pipe, which has a decimal number alone. */
  private static String inheritedName(OuterFile file) {
    return "pipe:" + dumpedName(file);
  }

  /**
   * Has whoever restores the image give new ones for {@code streams}.
   *
   * @throws IOException when the image is not as CRIU and runc write it
   */
  void inherit(List<OuterFile> streams) throws IOException {
    rename(streams);
    List<Object> names =
        new ArrayList<>(
            Json.array(Json.read(Files.readAllBytes(directory.resolve("descriptors.json"))))
                .orElseThrow(() -> new IOException(directory + "/descriptors.json is not an array")));
    for (OuterFile stream : streams) {
      if (stream.number() < names.size()) {
        names.set(stream.number(), inheritedName(stream));
      }
    }
    replace("descriptors.json", Json.write(names).getBytes(StandardCharsets.UTF_8));
  }

  /** files.img: the magic, then each entry after its length in four bytes. */
  private void rename(List<OuterFile> streams) throws IOException {
    Map<String, String> names = new HashMap<>();
    for (OuterFile stream : streams) {
      names.put(dumpedName(stream), inheritedName(stream));
    }
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(directory.resolve("files.img"))).order(ByteOrder.LITTLE_ENDIAN);
    if (in.remaining() < MAGIC_BYTES || in.getLong(0) != FILES_MAGIC) {
      throw new IOException(directory + "/files.img is of no kind that is known");
    }
    var out = new ByteArrayOutputStream(in.capacity() + in.capacity() / 8);
    out.write(in.array(), 0, MAGIC_BYTES);
    in.position(MAGIC_BYTES);
    while (in.hasRemaining()) {
      byte[] entry = renamed(next(in), names);
      out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(entry.length).array());
      out.writeBytes(entry);
    }
    replace("files.img", out.toByteArray());
  }

  private byte[] next(ByteBuffer in) throws IOException {
    int length = in.remaining() < 4 ? -1 : in.getInt();
    if (length < 0 || length > in.remaining()) {
      throw new IOException(directory + "/files.img ends within an entry");
    }
    byte[] entry = new byte[length];
    in.get(entry);
    return entry;
  }

  private static byte[] renamed(byte[] entry, Map<String, String> names) throws IOException {
    FileEntry file = FileEntry.parseFrom(entry);
    String name = file.getRegular().getExternal() ? names.get(file.getRegular().getName()) : null;
    if (name == null) {
      return entry;
    }
    return file.toBuilder().setRegular(file.getRegular().toBuilder().setName(name)).build().toByteArray();
  }

  /** The new file has the rights of the old one. */
  private void replace(String name, byte[] content) throws IOException {
    Path file = directory.resolve(name);
    Path next = directory.resolve(name + ".new");
    Files.copy(file, next, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
    Files.write(next, content);
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
