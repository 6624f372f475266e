package io.loomshim.bench.soak;

import io.loomshim.bench.figure.Unit;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Whether samples are flat: the median of the last quarter beside that of the first. What is counted must be equal, but
 * for what a JVM does by itself; memory may differ by what is named here.
 */
final class SoakVerdict {
  /** The daemon keeps the last 4096 answers for {@code delete} by name, 150 bytes each, and little else for long. */
  private static final double HEAP_MB_MORE_MAX = 1.5;

  /** The JVM compiles for a while, and its allocator keeps what bursts have taken. */
  private static final double PSS_MB_MORE_MAX = 8;

  /** A carrier that the JVM adds while calls block, and a thread of a jcmd. */
  private static final double THREADS_MORE_MAX = 3;

  /** The connection for events may be there or not. */
  private static final double FILES_MORE_MAX = 2;

  private SoakVerdict() {}

  static List<String> problems(List<SoakSample> samples) {
    var found = new ArrayList<String>();
    check(found, samples, "open files", SoakSample::files, FILES_MORE_MAX);
    check(found, samples, "threads", SoakSample::threads, THREADS_MORE_MAX);
    check(found, samples, "MB of heap after a collection", SoakSample::heapMb, HEAP_MB_MORE_MAX);
    check(found, samples, "MB of memory (PSS)", SoakSample::pssMb, PSS_MB_MORE_MAX);
    check(found, samples, "mounts", SoakSample::mounts, 0);
    check(found, samples, "cgroups", SoakSample::cgroups, 0);
    for (SoakSample sample : samples) {
      if (sample.zombies() > 0) {
        found.add(sample.zombies() + " zombies after " + sample.cycles() + " cycles");
      }
    }
    return found;
  }

  private static void check(List<String> found, List<SoakSample> samples, String what,
      ToDoubleFunction<SoakSample> value, double moreMax) {
    int quarter = Math.max(1, samples.size() / 4);
    double first = median(samples.subList(0, quarter), value);
    double last = median(samples.subList(samples.size() - quarter, samples.size()), value);
    if (last - first > moreMax) {
      found.add(what + ": " + Unit.number(first) + " at first, " + Unit.number(last) + " at last");
    }
  }

  private static double median(List<SoakSample> samples, ToDoubleFunction<SoakSample> value) {
    double[] sorted = samples.stream().mapToDouble(value).sorted().toArray();
    return sorted[sorted.length / 2];
  }
}
