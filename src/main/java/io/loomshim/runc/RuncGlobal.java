package io.loomshim.runc;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What every call of one container's runtime has in common.
 *
 * @param binary the runtime as configured: a name that is looked up in PATH, or a path
 * @param root where the runtime keeps its state, the namespace included
 * @param log the JSON log that the runtime appends to
 * @param criu value of {@code --criu}
 * @param systemdCgroup whether the runtime drives cgroups through systemd
 */
public record RuncGlobal(String binary, Path root, Path log, Optional<Path> criu, boolean systemdCgroup) {
  /** The runtime when none is configured. */
  public static final String DEFAULT_BINARY = "runc";

  public RuncGlobal {
    binary = binary.isEmpty() ? DEFAULT_BINARY : binary;
  }

  /** The flags that stand before the sub-command. */
  public List<String> args() {
    var args = new ArrayList<String>(10);
    args.add("--root");
    args.add(root.toString());
    args.add("--log");
    args.add(log.toString());
    args.add("--log-format");
    args.add("json");
    if (criu.isPresent()) {
      args.add("--criu");
      args.add(criu.get().toString());
    }
    if (systemdCgroup) {
      args.add("--systemd-cgroup");
    }
    return args;
  }
}
