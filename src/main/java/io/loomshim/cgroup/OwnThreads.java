package io.loomshim.cgroup;

import io.loomshim.mount.MountTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the kernel lists the threads of this process's own cgroups: {@code cgroup.threads} on v2, {@code tasks} on v1
 * (cgroups(7)). Pure.
 */
final class OwnThreads {
  private static final String ROOT = "/";

  private OwnThreads() {}

  /**
   * The files for the cgroups that {@code membership} (lines {@code id:controllers:path}) names and a mount shows, the
   * one of v2 first.
   */
  static List<Path> files(String membership, List<MountTable.Entry> mounts) {
    var files = new ArrayList<Path>();
    for (String line : membership.split("\n")) {
      String[] parts = line.split(":", 3);
      if (parts.length < 3) {
        continue;
      }
      boolean unified = parts[1].isEmpty();
      for (MountTable.Entry mount : mounts) {
        if (has(mount, parts[1]) && shows(mount, parts[2])) {
          Path file = directory(mount, parts[2]).resolve(unified ? "cgroup.threads" : "tasks");
          files.add(unified ? 0 : files.size(), file);
          break;
        }
      }
    }
    return files;
  }

  private static boolean has(MountTable.Entry mount, String controllers) {
    if (controllers.isEmpty()) {
      return mount.type().equals("cgroup2");
    }
    String first = controllers.split(",")[0];
    return mount.type().equals("cgroup") && List.of(mount.superOptions().split(",")).contains(first);
  }

  /** Both paths are as seen from our cgroup namespace; one outside of it begins with {@code /..}. */
  private static boolean shows(MountTable.Entry mount, String path) {
    if (path.equals("/..") || path.startsWith("/../")) {
      return false;
    }
    return mount.root().equals(ROOT) || path.equals(mount.root()) || path.startsWith(mount.root() + "/");
  }

  private static Path directory(MountTable.Entry mount, String path) {
    return Path.of(mount.point() + (mount.root().equals(ROOT) ? path : path.substring(mount.root().length())));
  }
}
