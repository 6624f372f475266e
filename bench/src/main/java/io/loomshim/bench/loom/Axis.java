package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Size;
import java.util.List;
import java.util.Locale;

/** What grows from cell to cell. */
enum Axis {
  WAITS("Containers that somebody waits for", "containers", "containers, each with a connection and a blocked Wait",
      new int[] {1, 66}, new int[] {1, 10, 100}, new int[] {1, 10, 100, 500, 1000, 2000}),
  PARKED("Calls that wait in one daemon", "parked calls", "connections, each with a Wait for the same process",
      new int[] {20}, new int[] {100, 1000}, new int[] {100, 1000, 5000}),
  EXECS("Execs at once", "execs at once", "execs at once", new int[] {1, 4}, new int[] {1, 10},
      new int[] {1, 10, 50, 100}),
  CALLERS("Connections that call State", "connections", "connections", new int[] {1, 5}, new int[] {1, 50},
      new int[] {1, 50, 500});

  private final String title;
  private final String what;
  private final String across;
  private final List<int[]> counts;

  Axis(String title, String what, String across, int[]... counts) {
    this.title = title;
    this.what = what;
    this.across = across;
    this.counts = List.of(counts);
  }

  String title() {
    return title;
  }

  /** What is counted, in one or two words. */
  String what() {
    return what;
  }

  /** The same as long as it takes to be exact. */
  String across() {
    return across;
  }

  /** As in the files and on the command line. */
  String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  int[] counts(Size size) {
    return counts.get(size.ordinal()).clone();
  }

  static Axis of(String key) {
    return valueOf(key.toUpperCase(Locale.ROOT));
  }
}
