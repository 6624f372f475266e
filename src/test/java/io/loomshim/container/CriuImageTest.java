package io.loomshim.container;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.ByteString;
import io.loomshim.proto.criu.Descriptor;
import io.loomshim.proto.criu.Fifo;
import io.loomshim.proto.criu.FileEntry;
import io.loomshim.proto.criu.Pipe;
import io.loomshim.proto.criu.RegularFile;
import io.loomshim.stdio.StreamFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images as CRIU writes them, made by hand; CheckpointIT has real ones. */
class CriuImageTest {
  private static final int WRITE = 1;
  private static final ByteString OWNER = ByteString.copyFrom(new byte[] {8, 0, 16, 0});
  private static final StreamFile FIFO = new StreamFile(1, false, 0x1b, 0x210044);
  private static final StreamFile FILE = new StreamFile(2, false, 0x1c, 0xffffffffL + 7);

  @TempDir Path dir;

  private static RegularFile regular(int id, String name) {
    return RegularFile.newBuilder().setId(id).setFlags(WRITE).setOwner(OWNER).setName(name)
        .setExternal(name.startsWith("file[")).build();
  }

  private static FileEntry file(int id, String name) {
    return FileEntry.newBuilder().setType(1).setId(id).setRegular(regular(id, name)).build();
  }

  private static FileEntry fifo(int id, int name) {
    return FileEntry.newBuilder().setType(3).setId(id)
        .setFifo(Fifo.newBuilder().setId(id).setPipeId(77).setRegularId(name)).build();
  }

  private static FileEntry pipe(int id, int number) {
    return FileEntry.newBuilder().setType(2).setId(id)
        .setPipe(Pipe.newBuilder().setId(id).setPipeId(number).setFlags(WRITE).setOwner(OWNER)).build();
  }

  /** With a field that the schema here does not have: 4, the descriptor, which may be 0. */
  private static byte[] descriptor(int id, int type, int number) throws IOException {
    var out = new ByteArrayOutputStream();
    Descriptor.newBuilder().setId(id).setType(type).build().writeTo(out);
    out.write(new byte[] {4 << 3, (byte) number});
    return out.toByteArray();
  }

  private void write(String name, int kind, List<byte[]> entries) throws IOException {
    Path file = dir.resolve(name);
    Files.write(file, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putInt(0x54564319).putInt(kind).array());
    CriuEntries.read(file, kind).write(entries);
  }

  private static List<byte[]> bytes(FileEntry... entries) {
    var list = new ArrayList<byte[]>();
    for (FileEntry entry : entries) {
      list.add(entry.toByteArray());
    }
    return list;
  }

  private void descriptorsJson(String... names) throws IOException {
    Files.writeString(dir.resolve("descriptors.json"), "[\"" + String.join("\",\"", names) + "\"]");
  }

  @Test
  void fifosAndFilesOfTheHostBecomePipesWithNumbersOfTheirOwn() throws Exception {
    write("files.img", 0x56303138, bytes(file(1, "/bin/busybox"), file(3, "file[1b:210044]"), fifo(2, 3),
        file(4, "file[1c:100000006]"), pipe(5, -1), file(7, "/fifo"), fifo(6, 7)));
    write("fdinfo-2.img", 0x56213732, List.of(descriptor(2, 3, 1), descriptor(4, 1, 2), descriptor(6, 3, 0)));
    write("fdinfo-3.img", 0x56213732, List.of(descriptor(5, 2, 0), descriptor(2, 3, 9)));
    descriptorsJson("/dev/null", "/run/fifo/1", "/var/log/x");

    new CriuImage(dir).inherit(List.of(FIFO, FILE));

    var files = CriuEntries.read(dir.resolve("files.img"), 0x56303138).entries();
    var expected = bytes(file(1, "/bin/busybox"), pipe(2, -2), pipe(4, -3), pipe(5, -1), file(7, "/fifo"), fifo(6, 7));
    assertArrayEquals(expected.toArray(), files.toArray());
    assertArrayEquals(new Object[] {descriptor(2, 2, 1), descriptor(4, 2, 2), descriptor(6, 3, 0)},
        CriuEntries.read(dir.resolve("fdinfo-2.img"), 0x56213732).entries().toArray());
    assertArrayEquals(new Object[] {descriptor(5, 2, 0), descriptor(2, 2, 9)},
        CriuEntries.read(dir.resolve("fdinfo-3.img"), 0x56213732).entries().toArray());
    assertEquals("[\"/dev/null\",\"pipe:[4294967294]\",\"pipe:[4294967293]\"]",
        Files.readString(dir.resolve("descriptors.json")));
  }

  @Test
  void pipesAreOnlyNamedAgain() throws Exception {
    descriptorsJson("/dev/null", "pipe:[1]", "pipe:[2]");
    new CriuImage(dir).inherit(List.of(new StreamFile(1, true, 0, 4711), new StreamFile(2, true, 0, 4712)));
    assertEquals("[\"/dev/null\",\"pipe:[4711]\",\"pipe:[4712]\"]", Files.readString(dir.resolve("descriptors.json")));
  }

  @Test
  void anImageOfAnotherKindAndOneThatIsCutOffAreErrors() throws Exception {
    Path file = dir.resolve("files.img");
    write("files.img", 0x56303139, bytes(file(1, "/x")));
    assertThrows(IOException.class, () -> new CriuImage(dir).inherit(List.of(FIFO)));
    write("files.img", 0x56303138, bytes(file(1, "/x")));
    byte[] whole = Files.readAllBytes(file);
    for (int length = 9; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThrows(IOException.class, () -> new CriuImage(dir).inherit(List.of(FIFO)));
    }
  }
}
