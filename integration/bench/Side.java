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
 * @param shared whether one process serves all containers of this side
 */
record Side(String name, String title, String runtime, String program, boolean grouped, boolean shared) {
  static final Side LOOM = ours("loom", "loom", true);
  /** An earlier build of ours, from the checkout that {@code bench.sh --before} names. */
  static final Side BEFORE = ours("loom-before", "loom before", true);
  /** With {@code mode=container}: what pods of one container each get with {@code mode=pod}, too. */
  static final Side LOOM_EACH = ours("loom-each", "loom, a daemon each", false);
  static final Side RUNC_V1 =
      new Side("runc.v1", "runc.v1", "io.containerd.runc.v1", "containerd-shim-runc-v1", false, false);
  static final Side RUNC_V2 =
      new Side("runc.v2", "runc.v2", "io.containerd.runc.v2", "containerd-shim-runc-v2", false, false);
  static final Side GROUP =
      new Side("runc.v2-group", "runc.v2, one group", "io.containerd.runc.v2", "containerd-shim-runc-v2", true, true);

  /** No shim and no containerd: what the operation costs at least. */
  static final Side FLOOR = new Side("floor", "no shim", "", "", false, false);

  static final List<Side> SHIMS = List.of(LOOM, BEFORE, RUNC_V1, RUNC_V2, GROUP, LOOM_EACH);

  /** The annotation that runc.v2 groups by, and its one value here. */
  static final String GROUP_ANNOTATION = "io.containerd.runc.v2.group";

  static final String GROUP_NAME = "bench";

  /** Our shim, installed for this side by {@code install_side} of measure.sh. */
  static Side ours(String name, String title, boolean shared) {
    String runtime = name.replace("-", "");
    return new Side(name, title, "io.containerd." + runtime + ".v1", "containerd-shim-" + runtime + "-v1", false,
        shared);
  }

  /** What {@code ctr run} needs to run a container this way. */
  List<String> flags() {
    var flags = new ArrayList<>(List.of("--runtime", runtime, "--read-only"));
    if (grouped) {
      flags.addAll(List.of("--annotation", GROUP_ANNOTATION + "=" + GROUP_NAME));
    }
    return flags;
  }

  static Side of(String name) {
    return name.equals(FLOOR.name) ? FLOOR : of(name, SHIMS);
  }

  /** The one of {@code sides} that has this name. */
  static Side of(String name, List<Side> sides) {
    for (Side side : sides) {
      if (side.name.equals(name)) {
        return side;
      }
    }
    throw new IllegalArgumentException("no side " + name + "; there are " + sides.stream().map(Side::name).toList());
  }
}
