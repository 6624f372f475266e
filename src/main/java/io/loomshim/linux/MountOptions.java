package io.loomshim.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Mount options as mount(2) wants them: the words that are flags, and the rest, comma-joined, for the file system
 * (mount(8), FILESYSTEM-INDEPENDENT MOUNT OPTIONS; the words of mount propagation are not flags here).
 *
 * <p>A value; no I/O.
 *
 * @param flags MS_… bits of {@code <sys/mount.h>}
 * @param data the options of the file system, may be empty
 */
public record MountOptions(long flags, String data) {
  public static final long MS_RDONLY = 1;
  public static final long MS_NOSUID = 2;
  public static final long MS_NODEV = 4;
  public static final long MS_NOEXEC = 8;
  public static final long MS_SYNCHRONOUS = 16;
  public static final long MS_REMOUNT = 32;
  public static final long MS_MANDLOCK = 64;
  public static final long MS_DIRSYNC = 128;
  public static final long MS_NOATIME = 1024;
  public static final long MS_NODIRATIME = 2048;
  public static final long MS_BIND = 4096;
  public static final long MS_REC = 16384;
  public static final long MS_RELATIME = 1 << 21;
  public static final long MS_STRICTATIME = 1 << 24;

  /** What snapshotters tell containerd and no file system knows. */
  private static final String FOR_CONTAINERD = "X-containerd.";

  private static final Map<String, Long> SETS = Map.ofEntries(
      Map.entry("bind", MS_BIND),
      Map.entry("dirsync", MS_DIRSYNC),
      Map.entry("mand", MS_MANDLOCK),
      Map.entry("noatime", MS_NOATIME),
      Map.entry("nodev", MS_NODEV),
      Map.entry("nodiratime", MS_NODIRATIME),
      Map.entry("noexec", MS_NOEXEC),
      Map.entry("nosuid", MS_NOSUID),
      Map.entry("rbind", MS_BIND | MS_REC),
      Map.entry("relatime", MS_RELATIME),
      Map.entry("remount", MS_REMOUNT),
      Map.entry("ro", MS_RDONLY),
      Map.entry("strictatime", MS_STRICTATIME),
      Map.entry("sync", MS_SYNCHRONOUS));

  private static final Map<String, Long> CLEARS = Map.ofEntries(
      Map.entry("async", MS_SYNCHRONOUS),
      Map.entry("atime", MS_NOATIME),
      Map.entry("dev", MS_NODEV),
      Map.entry("diratime", MS_NODIRATIME),
      Map.entry("exec", MS_NOEXEC),
      Map.entry("nomand", MS_MANDLOCK),
      Map.entry("norelatime", MS_RELATIME),
      Map.entry("nostrictatime", MS_STRICTATIME),
      Map.entry("rw", MS_RDONLY),
      Map.entry("suid", MS_NOSUID));

  /**
   * Sorts {@code options}; of two that contradict each other the later one counts.
   *
   * @param pageBytes size of a memory page: mount(2) takes one page of data
   * @throws IOException {@code mount options is too long} if the data would exceed it, and for a mount with mapped ids,
   *     which would silently have other owners if mount(2) ignored the word, as it does for a bind mount
   */
  public static MountOptions parse(List<String> options, int pageBytes) throws IOException {
    long flags = 0;
    var data = new StringBuilder();
    for (String option : options) {
      Long set = SETS.get(option);
      Long clear = CLEARS.get(option);
      if (set != null) {
        flags |= set;
      } else if (clear != null) {
        flags &= ~clear;
      } else if (option.startsWith("uidmap=") || option.startsWith("gidmap=")) {
        throw new IOException("mounts with mapped ids (" + option + ") are not supported");
      } else if (!option.startsWith(FOR_CONTAINERD)) {
        data.append(data.isEmpty() ? "" : ",").append(option);
      }
    }
    if (bytes(data.toString()) > pageBytes) {
      throw new IOException("mount options is too long");
    }
    return new MountOptions(flags, data.toString());
  }

  /** A remount that changes no option of the file system is left to the second step of a read-only bind mount. */
  boolean changesNothing() {
    return has(MS_REMOUNT) && data.isEmpty();
  }

  /** Whether every bit of {@code flags} is set. */
  public boolean has(long flags) {
    return (this.flags & flags) == flags;
  }

  /** A bind mount ignores MS_RDONLY (mount(2)); it must be remounted with these flags afterwards. */
  public boolean needsReadOnlyRemount() {
    return has(MS_BIND | MS_RDONLY);
  }

  static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
