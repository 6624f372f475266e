package io.loomshim.mount;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The mounts of this process's mount namespace (proc_pid_mountinfo(5)). */
public final class MountTable {
  private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");

  /**
   * One line.
   *
   * @param root what of its file system is mounted
   * @param point where
   * @param type the file system's type
   * @param superOptions the options of the file system itself
   */
  public record Entry(String root, String point, String type, String superOptions) {}

  private MountTable() {}

  /** All mounts, in the order in which they were made. */
  public static List<Entry> read() throws IOException {
    return parse(new String(Files.readAllBytes(MOUNTINFO), StandardCharsets.UTF_8));
  }

  static List<Entry> parse(String text) {
    var entries = new ArrayList<Entry>();
    for (String line : text.split("\n")) {
      String[] words = line.split(" ");
      int separator = 6;
      while (separator < words.length && !words[separator].equals("-")) {
        separator++;
      }
      if (separator + 3 < words.length) {
        entries.add(new Entry(unescape(words[3]), unescape(words[4]), words[separator + 1], words[separator + 3]));
      }
    }
    return entries;
  }

  /** The mounts at or under {@code directory}, deepest and latest first: the order to unmount in. */
  public static List<Entry> under(Path directory) throws IOException {
    return under(read(), directory.toString());
  }

  static List<Entry> under(List<Entry> entries, String directory) {
    var points = new ArrayList<Entry>();
    for (Entry entry : entries) {
      if (entry.point().equals(directory) || entry.point().startsWith(directory + "/")) {
        points.addFirst(entry);
      }
    }
    return points;
  }

  /** The type of the file system that {@code path} is in, or {@code this file system} if it is in none of the table. */
  static String typeAt(Path path) throws IOException {
    return typeAt(read(), path.toRealPath());
  }

  static String typeAt(List<Entry> entries, Path path) {
    int longest = -1;
    String type = "this file system";
    for (Entry entry : entries) {
      Path point = Path.of(entry.point());
      if (path.startsWith(point) && point.getNameCount() >= longest) {
        longest = point.getNameCount();
        type = entry.type();
      }
    }
    return type;
  }

  /** Space, tab, line feed and backslash stand as three octal digits after a backslash. */
  private static String unescape(String word) {
    if (word.indexOf('\\') < 0) {
      return word;
    }
    var plain = new StringBuilder(word.length());
    for (int i = 0; i < word.length(); i++) {
      char c = word.charAt(i);
      if (c == '\\' && i + 3 < word.length()) {
        plain.append((char) Integer.parseInt(word.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        plain.append(c);
      }
    }
    return plain.toString();
  }
}
