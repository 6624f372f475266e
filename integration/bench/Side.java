import java.util.ArrayList;
import java.util.List;

/**
 * One way to run a container.
 *
 * @param name as in raw.csv
 * @param title as in tables and plots
 * @param runtime what containerd calls it
 * @param program the shim's executable, in PATH
 * @param grouped whether all its containers ask for one shim, as the containers of one pod do
 */
record Side(String name, String title, String runtime, String program, boolean grouped) {
  static final Side LOOM =
      new Side("loom", "loom", "io.containerd.loom.v1", "containerd-shim-loom-v1", false);
  /** With {@code mode=container}: what pods of one container each get with {@code mode=pod}, too. */
  static final Side LOOM_EACH =
      new Side("loom-each", "loom, a daemon each", "io.containerd.loomeach.v1", "containerd-shim-loomeach-v1", false);
  static final Side RUNC_V1 =
      new Side("runc.v1", "runc.v1", "io.containerd.runc.v1", "containerd-shim-runc-v1", false);
  static final Side RUNC_V2 =
      new Side("runc.v2", "runc.v2", "io.containerd.runc.v2", "containerd-shim-runc-v2", false);
  static final Side GROUP =
      new Side("runc.v2-group", "runc.v2, one group", "io.containerd.runc.v2", "containerd-shim-runc-v2", true);

  /** No shim and no containerd: what the operation costs at least. */
  static final Side FLOOR = new Side("floor", "no shim", "", "", false);

  static final List<Side> SHIMS = List.of(LOOM, RUNC_V1, RUNC_V2, GROUP, LOOM_EACH);

  /** The annotation that runc.v2 groups by, and its one value here. */
  static final String GROUP_ANNOTATION = "io.containerd.runc.v2.group";

  static final String GROUP_NAME = "bench";

  /** What {@code ctr run} needs to run a container this way. */
  List<String> flags() {
    var flags = new ArrayList<>(List.of("--runtime", runtime, "--read-only"));
    if (grouped) {
      flags.addAll(List.of("--annotation", GROUP_ANNOTATION + "=" + GROUP_NAME));
    }
    return flags;
  }

  /** Whether one process serves all containers of this side. */
  boolean shared() {
    return grouped || this == LOOM;
  }

  static Side of(String name) {
    for (Side side : SHIMS) {
      if (side.name.equals(name)) {
        return side;
      }
    }
    if (name.equals(FLOOR.name)) {
      return FLOOR;
    }
    throw new IllegalArgumentException("no side " + name + "; there are " + SHIMS.stream().map(Side::name).toList());
  }
}
