package io.loomshim.container;

import io.loomshim.json.Json;
import io.loomshim.linux.WholeFile;
import io.loomshim.proto.criu.Descriptor;
import io.loomshim.proto.criu.FileEntry;
import io.loomshim.proto.criu.Pipe;
import io.loomshim.proto.criu.RegularFile;
import io.loomshim.stdio.StreamFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The image of a container that CRIU has just written to a directory.
 *
 * <p>On a restore, runc gives the new descriptor 0, 1 or 2 for every pipe that {@code descriptors.json} names at that
 * place. Streams that are fifos or files of the host are turned into pipes here, so that every runc shim can restore
 * the image, whatever its own streams are. The bytes that a fifo holds stay with its reader; they are not restored.
 *
 * <p>Formats: images/fdinfo.proto, images/regfile.proto and images/pipe.proto of CRIU, in files as
 * {@link CriuEntries} has them.
 */
record CriuImage(Path directory) {
  private static final int FILES_MAGIC = 0x56303138;
  private static final int DESCRIPTORS_MAGIC = 0x56213732;

  private static final int REGULAR = 1;
  private static final int PIPE = 2;
  private static final int FIFO = 3;

  /** The first number that is tried for a pipe; the kernel counts up from 1. */
  private static final int HIGHEST_PIPE = -1;

  /** The numbers of the pipes, by what CRIU called the files that they take the place of. */
  private record Pipes(Map<String, Integer> byName) {
    boolean replace(RegularFile file) {
      return file.getExternal() && byName.containsKey(file.getName());
    }
  }

  /** What CRIU calls a file that it was told to leave out. */
  static String dumpedName(StreamFile file) {
    return "file[" + Integer.toHexString(file.mount()) + ":" + Long.toHexString(file.inode()) + "]";
  }

  /**
   * Has whoever restores the image give new ones for {@code streams}. Of pipes that runc was given on a restore, it
   * has kept the names that they had before.
   *
   * @throws IOException when the image is not as CRIU and runc write it
   */
  void inherit(List<StreamFile> streams) throws IOException {
    var outer = new ArrayList<StreamFile>(streams);
    outer.removeIf(StreamFile::pipe);
    Map<String, Integer> numbers = outer.isEmpty() ? Map.of() : makePipes(outer);
    if (!streams.isEmpty()) {
      nameDescriptors(streams, numbers);
    }
  }

  private Map<String, Integer> makePipes(List<StreamFile> streams) throws IOException {
    CriuEntries files = CriuEntries.read(directory.resolve("files.img"), FILES_MAGIC);
    var entries = new ArrayList<FileEntry>(files.entries().size());
    for (byte[] entry : files.entries()) {
      entries.add(FileEntry.parseFrom(entry));
    }
    var pipes = new Pipes(number(streams, entries));
    Set<Integer> changed = new HashSet<>();
    files.write(withPipes(entries, pipes, changed));
    changeDescriptors(changed);
    return pipes.byName();
  }

  private static Map<String, Integer> number(List<StreamFile> streams, List<FileEntry> entries) {
    Set<Integer> taken = new HashSet<>();
    for (FileEntry entry : entries) {
      taken.add(entry.getPipe().getPipeId());
    }
    Map<String, Integer> numbers = new HashMap<>();
    int next = HIGHEST_PIPE;
    for (StreamFile stream : streams) {
      while (!taken.add(next)) {
        next--;
      }
      numbers.putIfAbsent(dumpedName(stream), next);
    }
    return numbers;
  }

  /** The entries as they shall be; adds the ids of those that have become pipes to {@code changed}. */
  private static List<byte[]> withPipes(List<FileEntry> entries, Pipes pipes, Set<Integer> changed) {
    Map<Integer, RegularFile> left = new HashMap<>();
    Set<Integer> namesOfFifos = new HashSet<>();
    for (FileEntry entry : entries) {
      if (entry.getType() == REGULAR && pipes.replace(entry.getRegular())) {
        left.put(entry.getId(), entry.getRegular());
      } else if (entry.getType() == FIFO) {
        namesOfFifos.add(entry.getFifo().getRegularId());
      }
    }
    var result = new ArrayList<byte[]>(entries.size());
    for (FileEntry entry : entries) {
      int name = entry.getType() == FIFO ? entry.getFifo().getRegularId() : entry.getId();
      boolean file = entry.getType() == FIFO || entry.getType() == REGULAR;
      if (!file || !left.containsKey(name)) {
        result.add(entry.toByteArray());
      } else if (entry.getType() == FIFO || !namesOfFifos.contains(name)) {
        RegularFile before = left.get(name);
        result.add(pipe(entry.getId(), before, pipes.byName().get(before.getName())).toByteArray());
        changed.add(entry.getId());
      }
    }
    return result;
  }

  private static FileEntry pipe(int id, RegularFile before, int number) {
    var pipe = Pipe.newBuilder().setId(id).setPipeId(number).setFlags(before.getFlags()).setOwner(before.getOwner());
    return FileEntry.newBuilder().setType(PIPE).setId(id).setPipe(pipe).build();
  }

  /** Every process has a table of descriptors, which tell the type, too. */
  private void changeDescriptors(Set<Integer> changed) throws IOException {
    try (DirectoryStream<Path> tables = Files.newDirectoryStream(directory, "fdinfo-*.img")) {
      for (Path table : tables) {
        CriuEntries descriptors = CriuEntries.read(table, DESCRIPTORS_MAGIC);
        var result = new ArrayList<byte[]>(descriptors.entries().size());
        for (byte[] entry : descriptors.entries()) {
          Descriptor descriptor = Descriptor.parseFrom(entry);
          boolean pipe = changed.contains(descriptor.getId());
          result.add(pipe ? descriptor.toBuilder().setType(PIPE).build().toByteArray() : entry);
        }
        descriptors.write(result);
      }
    }
  }

  private void nameDescriptors(List<StreamFile> streams, Map<String, Integer> numbers) throws IOException {
    Path file = directory.resolve("descriptors.json");
    List<Object> names =
        new ArrayList<>(
            Json.array(Json.read(Files.readAllBytes(file)))
                .orElseThrow(() -> new IOException(file + " is not an array")));
    for (StreamFile stream : streams) {
      if (stream.number() < names.size()) {
        long pipe = stream.pipe() ? stream.inode() : Integer.toUnsignedLong(numbers.get(dumpedName(stream)));
        names.set(stream.number(), "pipe:[" + pipe + "]");
      }
    }
    WholeFile.rewrite(file, Json.write(names).getBytes(StandardCharsets.UTF_8));
  }
}
