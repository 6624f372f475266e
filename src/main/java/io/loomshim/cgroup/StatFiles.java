package io.loomshim.cgroup;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import io.loomshim.errors.JdkTexts;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.SmallFile;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the small files of a cgroup. What is not there, because a controller is off or the cgroup is gone, is
 * empty or zero: statistics of a container that has just ended are no error. Stateless.
 */
final class StatFiles {
  /** The value that stands for the word {@code max}: 2^64 − 1, as an unsigned number. */
  static final long UNLIMITED = -1;

  /** A directory of a cgroup has this many links, and one more for each cgroup in it. */
  static final int LINKS_OF_A_LEAF = 2;

  private static final int FIELD_BYTES_MAX = 12; // a tag and a number as varints

  private StatFiles() {}

  /** The file's text; empty when it is missing or its device is gone (ENODEV of a removed cgroup). */
  static String text(Path directory, String name) throws IOException {
    try {
      return SmallFile.text(directory.toString() + "/" + name);
    } catch (ErrnoException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENODEV || e.errno() == Errno.EOPNOTSUPP) {
        return "";
      }
      throw e;
    }
  }

  /**
   * Whether no cgroup is in {@code directory}, told by the links of it, which are two and one for each; true for one
   * that is gone. To list it takes ten times as long.
   */
  static boolean leaf(Path directory) throws IOException {
    try {
      return ((Number) Files.getAttribute(directory, "unix:nlink")).intValue() == LINKS_OF_A_LEAF;
    } catch (NoSuchFileException e) {
      return true;
    }
  }

  /** Adds the numbers of {@code text}, one a line. */
  static void addNumbers(String text, Set<Integer> numbers) {
    int at = 0;
    while (at < text.length()) {
      int end = text.indexOf('\n', at);
      end = end < 0 ? text.length() : end;
      numbers.add(Integer.parseInt(text, at, end, 10));
      at = end + 1;
    }
  }

  /**
   * Reads a file that each cgroup has.
   *
   * @throws NoSuchFileException when the cgroup is gone, or goes meanwhile
   */
  static void require(Path directory, String name) throws IOException {
    Path file = directory.resolve(name);
    try {
      Files.readAllBytes(file);
    } catch (IOException e) {
      throw JdkTexts.gone(e) ? new NoSuchFileException(file.toString()) : e;
    }
  }

  /** The cgroups in {@code directory}; none when it is gone, and some when it goes meanwhile. */
  static List<Path> below(Path directory) throws IOException {
    var found = new ArrayList<Path>();
    try (DirectoryStream<Path> children = Files.newDirectoryStream(directory, Files::isDirectory)) {
      for (Path child : children) {
        found.add(child);
      }
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (DirectoryIteratorException e) {
      if (!JdkTexts.gone(e.getCause())) {
        throw e.getCause();
      }
    }
    return found;
  }

  /** The one number of a file, 0 when it is missing. */
  static long value(Path directory, String name) throws IOException {
    return number(text(directory, name).strip());
  }

  /** An unsigned number; {@code max} is {@link #UNLIMITED}; negative ones and what is none are 0. */
  static long number(String word) {
    if (word.equals("max")) {
      return UNLIMITED;
    }
    if (word.isEmpty() || word.charAt(0) == '-') {
      return 0;
    }
    try {
      return Long.parseUnsignedLong(word);
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /** The words of a line; any number of blanks parts them. */
  static List<String> words(String line) {
    var words = new ArrayList<String>();
    int at = 0;
    while (at < line.length()) {
      int end = line.indexOf(' ', at);
      end = end < 0 ? line.length() : end;
      if (end > at) {
        words.add(line.substring(at, end));
      }
      at = end + 1;
    }
    return words;
  }

  /**
   * Has the fields 1, 2, 3 and so on of {@code message} take the numbers that stand in {@code table} under
   * {@code names}, or 0. By way of their bytes, as names of fields would need protobuf's descriptors: those cost the
   * first call 100 ms of processor time and the daemon 4 MB.
   */
  static <B extends MessageLite.Builder> B fill(B message, Map<String, Long> table, List<String> names)
      throws IOException {
    byte[] bytes = new byte[names.size() * FIELD_BYTES_MAX];
    var fields = CodedOutputStream.newInstance(bytes);
    for (int i = 0; i < names.size(); i++) {
      fields.writeUInt64(i + 1, table.getOrDefault(names.get(i), 0L));
    }
    message.mergeFrom(bytes, 0, fields.getTotalBytesWritten());
    return message;
  }

  /** Lines {@code name number} as a map. */
  static Map<String, Long> table(String text) {
    var table = new HashMap<String, Long>();
    int at = 0;
    while (at < text.length()) {
      int end = text.indexOf('\n', at);
      end = end < 0 ? text.length() : end;
      int blank = text.indexOf(' ', at);
      if (blank > at && blank < end) {
        table.put(text.substring(at, blank), number(text.substring(blank + 1, end).strip()));
      }
      at = end + 1;
    }
    return table;
  }
}
