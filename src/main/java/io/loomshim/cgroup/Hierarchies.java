package io.loomshim.cgroup;

import io.loomshim.mount.MountTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** From the text of {@code /proc/PID/cgroup} to directories (cgroups(7), proc_pid_mountinfo(5)). Pure. */
final class Hierarchies {
  /** Of a file system, and of a hierarchy: a process in it has no cgroup of its own. */
  private static final String ROOT = "/";

  private Hierarchies() {}

  /** The mounts that matter, of those that can be seen: the v2 tree alone on a unified machine, else those of v1. */
  static List<MountTable.Entry> cgroupMounts(List<MountTable.Entry> mounts, boolean unified) {
    String type = unified ? "cgroup2" : "cgroup";
    var found = new ArrayList<MountTable.Entry>();
    for (int i = 0; i < mounts.size(); i++) {
      if (mounts.get(i).type().equals(type) && !hidden(mounts.get(i), mounts.subList(i + 1, mounts.size()))) {
        found.add(mounts.get(i));
      }
    }
    return found;
  }

  /** Whether one of the mounts that came later lies on top. */
  private static boolean hidden(MountTable.Entry mount, List<MountTable.Entry> later) {
    for (MountTable.Entry other : later) {
      if (mount.point().equals(other.point())) {
        return true;
      }
    }
    return false;
  }

  /** Whether {@code path} is {@code directory} or lies below it. */
  private static boolean within(String path, String directory) {
    return directory.equals(ROOT) || path.equals(directory) || path.startsWith(directory + "/");
  }

  /**
   * The directory of each controller that {@code text} (lines {@code id:controllers:path}) names and a mount shows. The
   * root of a hierarchy is no container's: on v1 the kernel tells it of each process that is ending, wherever that was.
   */
  static Map<String, Path> locate(String text, List<MountTable.Entry> mounts) {
    var directories = new HashMap<String, Path>();
    for (String line : text.split("\n")) {
      String[] parts = line.split(":", 3);
      if (parts.length < 3 || parts[2].equals(ROOT)) {
        continue;
      }
      for (String controller : parts[1].split(",")) {
        for (MountTable.Entry mount : mounts) {
          if (carries(mount, controller) && shows(mount, parts[2])) {
            directories.putIfAbsent(controller, directory(mount, parts[2]));
          }
        }
      }
    }
    return directories;
  }

  private static boolean carries(MountTable.Entry mount, String controller) {
    if (mount.type().equals("cgroup2")) {
      return controller.equals(Cgroup.UNIFIED);
    }
    return !controller.isEmpty() && List.of(mount.superOptions().split(",")).contains(controller);
  }

  /**
   * A mount may show only a part of the hierarchy, from the cgroup of an outer container down, for example. Both paths
   * are as seen from our cgroup namespace, so those outside it begin with {@code /..} (cgroup_namespaces(7)).
   */
  private static boolean shows(MountTable.Entry mount, String path) {
    return within(path, mount.root()) && !(mount.root().equals(ROOT) && within(path, "/.."));
  }

  /** Of a path that the mount shows, the mount's root is taken off. */
  private static Path directory(MountTable.Entry mount, String path) {
    return Path.of(mount.point() + (mount.root().equals(ROOT) ? path : path.substring(mount.root().length())));
  }
}
