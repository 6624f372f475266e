package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Side;
import java.util.ArrayList;
import java.util.List;

/**
 * The sides of the comparison: our shim with each kind of thread on each JDK, as loom-bench.sh installs them, and two
 * Go shims. The number in a name is the feature release that loom-bench.sh asks for; the release that really ran is in
 * {@code env.json}.
 */
final class Variants {
  /**
   * What a side does its calls with.
   *
   * @param name as in the names of sides
   * @param jdks the releases that it is measured with, the one of the headlines first
   */
  private record Kind(String name, String title, List<Integer> jdks) {}

  private static final List<Kind> KINDS = List.of(
      new Kind("virtual", "virtual", List.of(25, 21, 27)),
      new Kind("platform", "platform", List.of(25, 21, 27)),
      new Kind("platformlean", "platform, lean", List.of(25)),
      new Kind("loop", "event loop", List.of(25, 21, 27)),
      new Kind("fixed64", "fixed:64", List.of(25, 21)),
      new Kind("fixed512", "fixed:512", List.of(25)),
      new Kind("pinned", "pinned", List.of(25, 21)));

  static final List<Integer> JDKS = List.of(21, 25, 27);

  static final List<Side> OURS = ours();

  static final List<Side> GO = List.of(Side.GROUP, Side.RUNC_V1);

  static final List<Side> ALL = all();

  private Variants() {}

  private static List<Side> ours() {
    var sides = new ArrayList<Side>();
    for (Kind kind : KINDS) {
      for (int jdk : kind.jdks()) {
        sides.add(Side.ours(kind.name() + "-" + jdk, kind.title() + ", JDK " + jdk, true));
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
    var sides = new ArrayList<>(OURS);
    sides.removeIf(side -> !side.name().endsWith("-" + jdk));
    sides.addAll(GO);
    return sides;
  }

  /** What a side does its calls with, or the name of a Go shim. */
  static String kind(Side side) {
    return OURS.contains(side) ? side.title().replaceFirst(", JDK .*", "") : side.title();
  }

  /**
   * Containers with a Wait each, where nobody asks for more: to start 2000 takes two minutes, too long for all sides.
   * Those whose threads are all taken by a hundred of them have nothing more to show with a thousand.
   */
  static int containersMax(Side side) {
    if (limited(side) || pinned(side)) {
      return 500;
    }
    return side.name().endsWith("-25") || GO.contains(side) ? 2000 : 1000;
  }

  /** Whether a side has a cell with {@code n} on an axis, where nobody asks for more. */
  static boolean measured(Side side, Axis axis, int n) {
    return switch (axis) {
      case WAITS -> n <= containersMax(side);
      // with a limit most are refused, which the axis WAITS shows; one shim for each container is no other server
      case PARKED -> !limited(side) && !pinned(side) && side != Side.RUNC_V1;
      default -> true;
    };
  }

  /** Whether calls that find no thread are refused after a while. */
  static boolean limited(Side side) {
    return side.name().startsWith("fixed");
  }

  private static boolean pinned(Side side) {
    return side.name().startsWith("pinned");
  }
}
