package io.loomshim.runc;

import io.loomshim.proto.runc.Options;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How the runtime of one container is called: what all of its commands have in common. Immutable.
 *
 * @param binary the runtime as configured: a name that is looked up in PATH, or a path
 * @param root where the runtime keeps its state, the namespace included
 * @param log the JSON log that the runtime appends to
 * @param criu value of {@code --criu}
 * @param systemdCgroup whether the runtime drives cgroups through systemd
 */
public record RuncSettings(String binary, Path root, Path log, Optional<Path> criu, boolean systemdCgroup) {
  /** The runtime when none is configured. */
  public static final String DEFAULT_BINARY = "runc";

  private static final Path DEFAULT_ROOT = Path.of("/run/containerd/runc");

  /** Runtimes that treat processes and cgroups as runc does. */
  private static final List<String> LIKE_RUNC = List.of("runc", "crun");

  public RuncSettings {
    binary = binary.isEmpty() ? DEFAULT_BINARY : binary;
  }

  /**
   * The settings that a client's {@code options} ask for, for a container of {@code namespace}; {@code otherwise} is
   * the runtime where they name none.
   */
  public static RuncSettings of(Options options, String otherwise, String namespace, Path log) {
    Optional<Path> criu =
        options.getCriuPath().isEmpty() ? Optional.empty() : Optional.of(Path.of(options.getCriuPath()));
    String binary = options.getBinaryName().isEmpty() ? otherwise : options.getBinaryName();
    return new RuncSettings(binary, root(options, namespace), log, criu, options.getSystemdCgroup());
  }

  /** The runtime's directory of the containers of {@code namespace}. */
  public static Path root(Options options, String namespace) {
    return (options.getRoot().isEmpty() ? DEFAULT_ROOT : Path.of(options.getRoot())).resolve(namespace);
  }

  /**
   * Whether the runtime is known to treat processes and cgroups as runc does: a plain signal to the init is the same as
   * its {@code kill}, and it freezes by the cgroup.
   */
  public boolean likeRunc() {
    Path name = Path.of(binary).getFileName();
    return name != null && LIKE_RUNC.contains(name.toString());
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
