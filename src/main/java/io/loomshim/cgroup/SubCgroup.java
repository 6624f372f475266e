package io.loomshim.cgroup;

import io.loomshim.linux.Deadline;
import io.loomshim.process.Signal;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * A cgroup below a container's own, for the processes of one exec: what they start is in it too, whatever its parent is
 * by then. It has no controllers, so limits and statistics of the container do not change. On v2 it is killed by
 * {@code cgroup.kill}; on v1 it is one of the freezer's hierarchy, stopped while its processes are killed, so that none
 * can start another meanwhile (kernel: cgroup-v2.rst, cgroup-v1/freezer-subsystem.rst).
 *
 * <p>Used by one thread at a time.
 */
public final class SubCgroup {
  private static final String FREEZER = "freezer";
  private static final String PROCESSES = "cgroup.procs";
  private static final String KILL = "cgroup.kill";
  private static final String STATE = "freezer.state";

  /** The first pause between two looks at whether all are gone, in milliseconds; each is twice as long. */
  private static final long PAUSE_MIN = 1;
  private static final long PAUSE_MAX = 64;

  private final Path directory;
  private final boolean unified;

  private SubCgroup(Path directory, boolean unified) {
    this.directory = directory;
    this.unified = unified;
  }

  /**
   * Makes the cgroup {@code name} below {@code parent}; one that is there already is taken.
   *
   * @return empty where it could not be killed as a whole: without the freezer on v1, on v2 before kernel 5.14
   */
  public static Optional<SubCgroup> make(Cgroup parent, String name) throws IOException {
    Path above = parent.directories().get(parent.unifiedOnly() ? Cgroup.UNIFIED : FREEZER);
    if (above == null || parent.unifiedOnly() && !Files.exists(above.resolve(KILL))) {
      return Optional.empty();
    }
    Path directory = above.resolve(name);
    try {
      Files.createDirectory(directory);
    } catch (FileAlreadyExistsException e) {
      // of an exec of that name whose processes outlived its end
    }
    return Optional.of(new SubCgroup(directory, parent.unifiedOnly()));
  }

  /** The cgroup {@code name} below {@code parent}, if it is there. */
  public static Optional<SubCgroup> find(Cgroup parent, String name) {
    Path above = parent.directories().get(parent.unifiedOnly() ? Cgroup.UNIFIED : FREEZER);
    boolean there = above != null && Files.isDirectory(above.resolve(name));
    return there ? Optional.of(new SubCgroup(above.resolve(name), parent.unifiedOnly())) : Optional.empty();
  }

  /** What {@code runc exec --cgroup} is to be told. */
  public String argument() {
    String name = directory.getFileName().toString();
    return unified ? name : FREEZER + ":" + name;
  }

  /** Whether the argument names a hierarchy, which not every runtime understands. */
  public boolean namesHierarchy() {
    return !unified;
  }

  /**
   * Kills all processes in it, and in what they have made below, and waits until they are gone.
   *
   * @return false when some are still there at the deadline: they are stuck in the kernel, or the container is paused
   */
  public boolean kill(Deadline deadline) throws IOException, InterruptedException {
    long pause = PAUSE_MIN;
    while (!processes().isEmpty()) {
      killOnce();
      if (processes().isEmpty()) {
        return true;
      }
      if (deadline.passed()) {
        return false;
      }
      Thread.sleep(pause);
      pause = Math.min(PAUSE_MAX, 2 * pause);
    }
    return true;
  }

  private void killOnce() throws IOException {
    if (unified) {
      write(directory.resolve(KILL), "1");
      return;
    }
    write(directory.resolve(STATE), "FROZEN");
    try {
      for (int pid : processes()) {
        Signal.kill(pid);
      }
    } finally {
      write(directory.resolve(STATE), "THAWED");
    }
  }

  private Set<Integer> processes() throws IOException {
    var pids = new LinkedHashSet<Integer>();
    collect(directory, pids);
    return pids;
  }

  private static void collect(Path directory, Set<Integer> pids) throws IOException {
    String text = StatFiles.text(directory, PROCESSES);
    int at = 0;
    for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
      pids.add(Integer.valueOf(text.substring(at, end)));
      at = end + 1;
    }
    for (Path child : StatFiles.below(directory)) {
      collect(child, pids);
    }
  }

  /** Removes it with what is below; false when there are still processes in it, then it goes with the container's. */
  public boolean remove() throws IOException {
    return remove(directory);
  }

  private static boolean remove(Path directory) throws IOException {
    for (Path child : StatFiles.below(directory)) {
      remove(child);
    }
    try {
      Files.deleteIfExists(directory);
      return true;
    } catch (DirectoryNotEmptyException e) {
      return false;
    } catch (FileSystemException e) {
      if (String.valueOf(e.getReason()).contains("busy")) {
        return false;
      }
      throw e;
    }
  }

  /** The container's end may have taken the cgroup away. */
  private static void write(Path file, String word) throws IOException {
    try {
      Files.writeString(file, word, StandardOpenOption.WRITE);
    } catch (NoSuchFileException e) {
      // there is nothing to kill any more
    }
  }
}
