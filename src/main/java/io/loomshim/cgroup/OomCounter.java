package io.loomshim.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The kernel's count of the processes of a container that it has killed for want of memory. On cgroup v2 {@code
 * memory.events} counts for all cgroups below too; on v1 each {@code memory.oom_control} counts only the victims of
 * its own cgroup, so those that the container has made below its own are read as well. Not for several threads.
 *
 * <p>A cgroup v2 with {@code memory.oom.group} is killed as a whole, and each of its processes is counted (kernel:
 * cgroup-v2.rst, "memory.oom.group"). That is one event for the container, so there it only matters whether the
 * counter has grown.
 */
final class OomCounter {
  private static final String KEY = "oom_kill";

  private final boolean hierarchical;
  private final Path directory;
  private final String file;
  /** By the number of the directory's inode: a cgroup that is made again under the same name counts from 0. */
  private Map<Long, Long> seen;

  private OomCounter(boolean hierarchical, Path directory, String file, Map<Long, Long> seen) {
    this.hierarchical = hierarchical;
    this.directory = directory;
    this.file = file;
    this.seen = Map.copyOf(seen);
  }

  /**
   * The counter of {@code cgroup}, which has seen {@code seen} already.
   *
   * @throws IOException when its memory is not controlled
   */
  static OomCounter of(Cgroup cgroup, Map<Long, Long> seen) throws IOException {
    boolean unified = cgroup.unifiedOnly();
    Path directory = cgroup.directories().get(unified ? Cgroup.UNIFIED : "memory");
    String file = unified ? "memory.events" : "memory.oom_control";
    if (directory == null || !Files.exists(directory.resolve(file))) {
      throw new IOException("cgroups: memory cgroup not supported on this system");
    }
    return new OomCounter(unified, directory, file, seen);
  }

  Path directory() {
    return directory;
  }

  /** How many kills there were since the last call. What cannot be read, for it is gone, says nothing. */
  long more() {
    var now = new HashMap<Long, Long>();
    long more = look(directory, now);
    seen = now.isEmpty() ? seen : now;
    return more > 1 && killedAsAWhole() ? 1 : more;
  }

  /** What {@link #more} has seen in all, by the inode of the cgroup's directory. */
  Map<Long, Long> seen() {
    return seen;
  }

  private boolean killedAsAWhole() {
    try {
      return hierarchical && StatFiles.text(directory, "memory.oom.group").strip().equals("1");
    } catch (IOException e) {
      return false; // the kernel does not know it, or the cgroup is gone
    }
  }

  private long look(Path cgroup, Map<Long, Long> now) {
    long more = 0;
    try {
      Long kills = StatFiles.table(StatFiles.text(cgroup, file)).get(KEY);
      if (kills == null) {
        return 0;
      }
      Map<String, Object> attributes = Files.readAttributes(cgroup, "unix:ino,nlink");
      long inode = ((Number) attributes.get("ino")).longValue();
      now.put(inode, kills);
      more = Math.max(0, kills - seen.getOrDefault(inode, 0L));
      if (!hierarchical && ((Number) attributes.get("nlink")).intValue() > StatFiles.LINKS_OF_A_LEAF) {
        for (Path child : StatFiles.below(cgroup)) {
          more += look(child, now);
        }
      }
    } catch (IOException e) {
      // the cgroup went away while we looked
    }
    return more;
  }
}
