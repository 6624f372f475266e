package io.loomshim.cgroup;

import com.google.protobuf.Any;
import com.google.protobuf.MessageLite;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.SmallFile;
import io.loomshim.mount.MountTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The cgroup of one container (cgroups(7)).
 *
 * @param directories its directory for each controller; the single one of cgroup v2 stands under {@link #UNIFIED}
 */
public record Cgroup(Map<String, Path> directories) {
  /** The name of the cgroup v2 hierarchy, as in {@code /proc/PID/cgroup}. */
  static final String UNIFIED = "";

  private static final Path UNIFIED_MOUNT = Path.of("/sys/fs/cgroup");

  /** Which hierarchy lists the processes of a container: runc asks the first of these too. */
  private static final List<String> PROCESS_HIERARCHIES =
      List.of(UNIFIED, "devices", "freezer", "pids", "name=systemd");

  public Cgroup {
    directories = Map.copyOf(directories);
  }

  /**
   * The cgroup of {@code pid}.
   *
   * @return empty when it is the one that we are in ourselves, so that it is not the container's own, when no mount
   *     shows it, and on v1 when the process is ending
   * @throws NoSuchFileException when there is no such process
   */
  public static Optional<Cgroup> of(int pid) throws IOException {
    return of(pid, mounts());
  }

  static Optional<Cgroup> of(int pid, List<MountTable.Entry> mounts) throws IOException {
    Cgroup its = new Cgroup(Hierarchies.locate(proc(Integer.toString(pid)), mounts));
    Cgroup ours = new Cgroup(Hierarchies.locate(proc("self"), mounts));
    Optional<Path> directory = its.processDirectory();
    boolean own = directory.isPresent() && !directory.equals(ours.processDirectory());
    return own && Files.isDirectory(directory.get()) ? Optional.of(its) : Optional.empty();
  }

  private static String proc(String pid) throws IOException {
    try {
      return SmallFile.text("/proc/" + pid + "/cgroup");
    } catch (ErrnoException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ESRCH) {
        throw new NoSuchFileException("/proc/" + pid);
      }
      throw e;
    }
  }

  /** Cgroup mounts do not change while a node runs, so they are read once; where that fails, the next time. */
  private static final class MountsHolder {
    static volatile List<MountTable.Entry> mounts = List.of();
  }

  private static List<MountTable.Entry> mounts() throws IOException {
    if (MountsHolder.mounts.isEmpty()) {
      MountsHolder.mounts = Hierarchies.cgroupMounts(MountTable.read(), unified());
    }
    return MountsHolder.mounts;
  }

  /** Whether this machine has cgroup v2 alone. */
  public static boolean unified() {
    return Files.exists(UNIFIED_MOUNT.resolve("cgroup.controllers"));
  }

  /**
   * All processes in this cgroup and those below it, each once.
   *
   * @return an empty list when the cgroup is gone
   */
  public List<Integer> pids() throws IOException {
    // a process that moves while the kernel lists may be listed twice
    var pids = new LinkedHashSet<Integer>();
    Optional<Path> directory = processDirectory();
    if (directory.isPresent()) {
      collect(directory.get(), pids);
    }
    return List.copyOf(pids);
  }

  /**
   * The statistics: an {@code io.containerd.cgroups.v1.Metrics} or {@code io.containerd.cgroups.v2.Metrics}. On v1
   * those of a cgroup that is gone are all zero.
   *
   * @throws NoSuchFileException when a cgroup v2 is gone
   */
  public Any stats() throws IOException {
    Path unified = directories.get(UNIFIED);
    if (unified != null) {
      return any("io.containerd.cgroups.v2.Metrics", MetricsV2.read(unified));
    }
    return any("io.containerd.cgroups.v1.Metrics", MetricsV1.read(directories));
  }

  /**
   * Whether the processes are frozen, or about to be.
   *
   * @return empty when the kernel does not tell: there is no freezer, or the cgroup is gone
   */
  public Optional<Boolean> frozen() throws IOException {
    Path unified = directories.get(UNIFIED);
    Path freezer = directories.get("freezer");
    String word = unified != null ? StatFiles.text(unified, "cgroup.freeze").strip()
        : freezer != null ? StatFiles.text(freezer, "freezer.state").strip() : "";
    return word.isEmpty() ? Optional.empty() : Optional.of(!word.equals("0") && !word.equals("THAWED"));
  }

  /** Whether this is a cgroup v2. */
  boolean unifiedOnly() {
    return directories.containsKey(UNIFIED);
  }

  private static Any any(String type, MessageLite message) {
    return Any.newBuilder().setTypeUrl(type).setValue(message.toByteString()).build();
  }

  private Optional<Path> processDirectory() {
    for (String hierarchy : PROCESS_HIERARCHIES) {
      Path directory = directories.get(hierarchy);
      if (directory != null) {
        return Optional.of(directory);
      }
    }
    return Optional.empty();
  }

  /**
   * A cgroup v2 that holds threads instead of processes, as all below it do, does not list any (EOPNOTSUPP), and need
   * not: the one above that is not like this lists them.
   */
  private static void collect(Path directory, Set<Integer> pids) throws IOException {
    StatFiles.addNumbers(StatFiles.text(directory, "cgroup.procs"), pids);
    if (StatFiles.leaf(directory)) {
      return;
    }
    for (Path child : StatFiles.below(directory)) {
      collect(child, pids);
    }
  }
}
