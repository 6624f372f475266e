package io.loomshim.mount;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Options of an overlay mount in a form that fits into the one page that mount(2) takes. The lower directories of an
 * image with many layers do not; they share a long parent directory, and so may be given relative to it when the
 * mount is made by a thread whose working directory it is.
 *
 * <p>A value; no I/O.
 *
 * @param directory the working directory that {@code options} need, or nothing
 * @param options the options to mount with
 */
public record OverlayOptions(Optional<Path> directory, List<String> options) {
  /** Bytes of a page that are left for commas and whatever the kernel adds, as in containerd. */
  static final int RESERVED_BYTES = 512;

  private static final String LOWERDIR = "lowerdir=";

  public OverlayOptions {
    options = List.copyOf(options);
  }

  /**
   * Shortens the first {@code lowerdir=} of {@code options} and puts it last, when the options of an {@code overlay}
   * are too long and their lower directories, at least two, have a parent directory in common other than the root.
   * Escaped directory names (overlay's {@code \:}) are left alone. Else nothing changes.
   *
   * @param type the file system type
   * @param pageBytes size of a memory page
   */
  public static OverlayOptions compact(String type, List<String> options, int pageBytes) {
    var unchanged = new OverlayOptions(Optional.empty(), options);
    int at = lowerdirAt(options);
    if (!type.equals("overlay") || at < 0 || totalBytes(options) < pageBytes - RESERVED_BYTES) {
      return unchanged;
    }
    String lowerdir = options.get(at).substring(LOWERDIR.length());
    String[] directories = lowerdir.split(":", -1);
    if (directories.length < 2 || lowerdir.indexOf('\\') >= 0) {
      return unchanged;
    }
    String common = commonDirectory(directories);
    if (common.isEmpty()) {
      return unchanged;
    }
    var compacted = new StringBuilder(LOWERDIR);
    for (int i = 0; i < directories.length; i++) {
      if (directories[i].length() <= common.length()) {
        return unchanged;
      }
      compacted.append(i == 0 ? "" : ":").append(directories[i], common.length(), directories[i].length());
    }
    var shorter = new ArrayList<>(options);
    shorter.remove(at);
    shorter.add(compacted.toString());
    return new OverlayOptions(Optional.of(Path.of(common)), shorter);
  }

  private static int lowerdirAt(List<String> options) {
    for (int i = 0; i < options.size(); i++) {
      if (options.get(i).startsWith(LOWERDIR)) {
        return i;
      }
    }
    return -1;
  }

  private static int totalBytes(List<String> options) {
    int total = 0;
    for (String option : options) {
      total += MountOptions.bytes(option);
    }
    return total;
  }

  /**
   * The parent directory that all {@code directories} begin with, its slash included; empty when it is the root or
   * none, or when cutting it off would leave a name that begins with a slash.
   */
  private static String commonDirectory(String[] directories) {
    String common = directories[0];
    for (String directory : directories) {
      int length = 0;
      int end = Math.min(common.length(), directory.length());
      while (length < end && common.charAt(length) == directory.charAt(length)) {
        length++;
      }
      common = common.substring(0, length);
    }
    int slash = common.lastIndexOf('/');
    String parent = common.substring(0, slash + 1);
    boolean root = parent.isEmpty() || !parent.startsWith("/") || Path.of(parent).normalize().getNameCount() == 0;
    if (root) {
      return "";
    }
    for (String directory : directories) {
      if (directory.startsWith("/", parent.length())) {
        return "";
      }
    }
    return parent;
  }
}
