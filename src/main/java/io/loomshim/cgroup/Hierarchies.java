package io.loomshim.cgroup;

import io.loomshim.linux.MountTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** From the text of {@code /proc/PID/cgroup} to directories (cgroups(7), proc_pid_mountinfo(5)). Pure. */
final class Hierarchies {
  /** Where nobody has a cgroup of his own. */
  private static final String ROOT = "/";

  private Hierarchies() {}

  /** The mounts that matter: the v2 tree alone on a unified machine, else those of v1. */
  static List<MountTable.Entry> cgroupMounts(List<MountTable.Entry> mounts, boolean unified) {
    String type = unified ? "cgroup2" : "cgroup";
    var found = new ArrayList<MountTable.Entry>();
    for (MountTable.Entry mount : mounts) {
      if (mount.type().equals(type)) {
        found.add(mount);
      }
    }
    return found;
  }

  /**
   * The directory of each mounted controller that {@code text} (lines {@code id:controllers:path}) names. The root of
   * a hierarchy is no container's: on v1 the kernel tells it of each process that is ending, wherever that was.
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
          if (carries(mount, controller)) {
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

  /** A mount may show only a part of the hierarchy: its root is taken off the path. */
  private static Path directory(MountTable.Entry mount, String path) {
    String root = mount.root();
    boolean inside = !root.equals("/") && (path.equals(root) || path.startsWith(root + "/"));
    return Path.of(mount.point() + (inside ? path.substring(root.length()) : path));
  }
}
