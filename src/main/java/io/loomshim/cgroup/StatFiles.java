package io.loomshim.cgroup;

import io.loomshim.errors.JdkTexts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the small files of a cgroup. What is not there, because a controller is off or the cgroup is gone, is
 * empty or zero: statistics of a container that has just ended are no error. Stateless.
 */
final class StatFiles {
  /** The value that stands for the word {@code max}: 2^64 − 1, as an unsigned number. */
  static final long UNLIMITED = -1;

  private StatFiles() {}

  /** The file's text; empty when it is missing or its device is gone (ENODEV of a removed cgroup). */
  static String text(Path directory, String name) throws IOException {
    try {
      return new String(Files.readAllBytes(directory.resolve(name)), StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      if (JdkTexts.gone(e)) {
        return "";
      }
      throw e;
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
