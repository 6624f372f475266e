package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Side;
import java.util.ArrayList;
import java.util.List;

/**
 * The sides of the comparison: our shim with each kind of thread on each JDK, as loom-bench.sh installs them, and two
 * Go shims.
 */
final class Variants {
  private static final List<String> KINDS = List.of("virtual", "platform", "fixed64", "pinned");

  static final List<Integer> JDKS = List.of(21, 25);

  static final List<Side> OURS = ours();

  static final List<Side> GO = List.of(Side.GROUP, Side.RUNC_V1);

  static final List<Side> ALL = all();

  private Variants() {}

  private static List<Side> ours() {
    var sides = new ArrayList<Side>();
    for (String kind : KINDS) {
      for (int jdk : JDKS.reversed()) {
        sides.add(Side.ours(kind + "-" + jdk, kind.replace("64", ":64") + ", JDK " + jdk, true));
      }
    }
    return List.copyOf(sides);
  }

  private static List<Side> all() {
    var sides = new ArrayList<>(OURS);
    sides.addAll(GO);
    return List.copyOf(sides);
  }

  static Side of(String kind, int jdk) {
    return Side.of(kind + "-" + jdk, OURS);
  }

  /** What belongs into a panel of one JDK: our sides on it, and the Go shims for comparison. */
  static List<Side> of(int jdk) {
    var sides = new ArrayList<Side>();
    for (String kind : KINDS) {
      sides.add(of(kind, jdk));
    }
    sides.addAll(GO);
    return sides;
  }

  /** The kind of thread, or the name of a Go shim. */
  static String kind(Side side) {
    return OURS.contains(side) ? side.title().replaceFirst(",.*", "") : side.title();
  }

  /**
   * Containers with a Wait each, where nobody asks for more: to start 2000 takes two minutes, too long for all sides.
   * Those whose threads are all taken by a hundred of them have nothing more to show with a thousand.
   */
  static int containersMax(Side side) {
    if (limited(side) || side.name().startsWith("pinned")) {
      return 500;
    }
    return side.name().endsWith("-21") ? 1000 : 2000;
  }

  /** Whether calls that find no thread are refused after a while. */
  static boolean limited(Side side) {
    return side.name().startsWith("fixed");
  }
}
