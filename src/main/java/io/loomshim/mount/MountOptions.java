package io.loomshim.mount;

import static io.loomshim.linux.MountCalls.MS_BIND;
import static io.loomshim.linux.MountCalls.MS_DIRSYNC;
import static io.loomshim.linux.MountCalls.MS_MANDLOCK;
import static io.loomshim.linux.MountCalls.MS_NOATIME;
import static io.loomshim.linux.MountCalls.MS_NODEV;
import static io.loomshim.linux.MountCalls.MS_NODIRATIME;
import static io.loomshim.linux.MountCalls.MS_NOEXEC;
import static io.loomshim.linux.MountCalls.MS_NOSUID;
import static io.loomshim.linux.MountCalls.MS_RDONLY;
import static io.loomshim.linux.MountCalls.MS_REC;
import static io.loomshim.linux.MountCalls.MS_RELATIME;
import static io.loomshim.linux.MountCalls.MS_REMOUNT;
import static io.loomshim.linux.MountCalls.MS_STRICTATIME;
import static io.loomshim.linux.MountCalls.MS_SYNCHRONOUS;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Mount options as mount(2) wants them: the words that are flags, and the rest, comma-joined, for the file system
 * (mount(8), FILESYSTEM-INDEPENDENT MOUNT OPTIONS; the words of mount propagation are not flags here). Mapped ids are
 * not among them: {@link IdMapping}.
 *
 * <p>A value; no I/O.
 *
 * @param flags MS_… bits of {@link io.loomshim.linux.MountCalls}
 * @param data the options of the file system, may be empty
 */
public record MountOptions(long flags, String data) {
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
   * @throws IOException {@code mount options is too long} if the data would exceed it
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
