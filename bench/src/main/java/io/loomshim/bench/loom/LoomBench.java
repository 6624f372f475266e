package io.loomshim.bench.loom;

import io.loomshim.bench.figure.EnvFile;
import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Size;
import io.loomshim.bench.scenario.Plan;
import io.loomshim.bench.site.Environment;
import io.loomshim.bench.site.Site;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Compares kinds of threads on the sides that loom-bench.sh has installed; {@link LoomReport} makes a page of what
 * this writes.
 *
 * <p>Arguments: the scope directory, the namespace, the directory for the results, the size, the names of the axes and
 * of the sides, each separated by commas, and the cells that alone are measured, or nothing.
 */
public final class LoomBench {
  /** Short ones first, so that a lack of time cuts the longest. */
  private static final Map<Axis, LoomScenario> SCENARIOS = new TreeMap<>(Map.of(Axis.CALLERS, new CallersScenario(),
      Axis.EXECS, new ExecsScenario(), Axis.PARKED, new ParkedScenario(), Axis.WAITS, new WaitsScenario()))
      .descendingMap();

  /** In {@code env.json}: what else the machine did. */
  static final String NEIGHBOURS = "neighbours";

  private LoomBench() {}

  /** For all cells. What has begun is ended: a quick run, with what comes before and after, fits into five minutes. */
  private static Duration time(Size size) {
    return Duration.ofSeconds(size.pick(600, 170, 2400));
  }

  /** The names that {@code --only} takes. */
  public static List<String> axes() {
    return SCENARIOS.keySet().stream().map(Axis::key).toList();
  }

  /** The names that {@code --sides} takes. */
  public static List<String> sides() {
    return Variants.ALL.stream().map(Side::name).toList();
  }

  public static void main(String[] args) throws Exception {
    var site = new Site(Path.of(args[0]), args[1]);
    Path results = Path.of(args[2]);
    Size size = Size.of(args[3]);
    Cells cells = Cells.of(size, args[4], args.length > 6 ? args[6] : "");
    var sides = new ArrayList<Side>();
    for (String name : args[5].split(",")) {
      sides.add(Side.of(name, Variants.ALL));
    }
    long begin = System.nanoTime();
    var env = Environment.look(site, size);
    for (Side side : sides) {
      if (Variants.OURS.contains(side)) {
        try (var crowd = new Crowd(site, side)) {
          crowd.grow(1);
          Environment.Daemon daemon = Environment.daemon(site, crowd.first().shim());
          env.put("jdk of " + side.name(), daemon.jdk());
          env.put("flags of " + side.name(), daemon.flags());
        }
      }
    }
    EnvFile.write(results.resolve("env.json"), env);
    var neighbours = new Neighbours();
    neighbours.look();
    try (var skipped = Plan.skippedFile(results.resolve("skipped.csv"));
        var failures = Failure.file(results.resolve("failures.csv"))) {
      var plan = new Plan(site, Samples.create(results.resolve("raw.csv")), size, List.copyOf(sides), skipped);
      var comparison = new Comparison(plan, cells, failures, neighbours, begin + time(size).toNanos());
      boolean failed = false;
      for (Map.Entry<Axis, LoomScenario> each : SCENARIOS.entrySet()) {
        Plan.say("  %4d s  %s".formatted((System.nanoTime() - begin) / 1_000_000_000L, each.getKey().key()));
        failed |= !measured(comparison, each.getValue());
      }
      env.put(NEIGHBOURS, neighbours.text());
      String warning = Neighbours.warning(neighbours.text());
      if (!warning.isEmpty()) {
        Plan.say("  " + warning);
      }
      env.put("load_after", Files.readString(Path.of("/proc/loadavg")).strip());
      env.put("seconds", "" + (System.nanoTime() - begin) / 1_000_000_000L);
      EnvFile.write(results.resolve("env.json"), env);
      System.exit(failed ? 1 : 0);
    }
  }

  /** A scenario that fails costs its figures, not those of the others. */
  private static boolean measured(Comparison comparison, LoomScenario scenario) throws InterruptedException {
    try {
      scenario.measure(comparison);
      return true;
    } catch (Exception e) {
      Plan.say("    failed: " + e);
      e.printStackTrace();
      return false;
    }
  }
}
