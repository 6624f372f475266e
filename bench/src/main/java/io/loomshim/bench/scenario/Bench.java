package io.loomshim.bench.scenario;

import io.loomshim.bench.figure.EnvFile;
import io.loomshim.bench.figure.Samples;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Size;
import io.loomshim.bench.site.Environment;
import io.loomshim.bench.site.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Measures shims side by side on the private containerd that bench.sh has started: each scenario takes the sides in
 * turn, sample by sample, so that a machine whose speed drifts treats them alike. {@code Report} makes tables and
 * plots of what this writes.
 *
 * <p>Arguments: the scope directory, the namespace, the directory for the results, the size, then the names of the
 * scenarios and of the sides, each separated by commas, and what the earlier build is if that is among the sides.
 */
public final class Bench {
  private static final Map<String, Scenario> SCENARIOS = all();

  /** From this on, what else runs on the machine shows in the figures. */
  private static final double BUSY_PERCENT_MAX = 10;

  private Bench() {}

  /** The names that {@code --only} takes. */
  public static Set<String> scenarios() {
    return SCENARIOS.keySet();
  }

  private static Map<String, Scenario> all() {
    var all = new LinkedHashMap<String, Scenario>();
    all.put("run", new RunScenario());
    all.put("start", new StartScenario());
    all.put("exec", new ExecScenario());
    all.put("calls", new CallScenario());
    all.put("connections", new ConnectionScenario());
    all.put("streams", new StreamScenario());
    all.put("churn", new ChurnScenario());
    all.put("density", new DensityScenario());
    all.put("hang", new HangScenario());
    all.put("beside", new BesideScenario());
    return all;
  }

  public static void main(String[] args) throws Exception {
    var site = new Site(Path.of(args[0]), args[1]);
    Path results = Path.of(args[2]);
    Size size = Size.of(args[3]);
    var sides = new ArrayList<Side>();
    for (String name : args[5].split(",")) {
      sides.add(Side.of(name));
    }
    var env = Environment.look(site, size);
    double busy = Environment.busyPercent();
    env.put("busy_before", Math.round(busy) + " %");
    if (busy > BUSY_PERCENT_MAX) {
      Plan.say("  the processors are %.0f %% busy before anything is measured: the figures will be wrong"
          .formatted(busy));
    }
    if (sides.contains(Side.LOOM)) {
      Environment.Daemon daemon = daemon(site, Side.LOOM);
      env.put("jdk", daemon.jdk());
      env.put("flags", daemon.flags());
    }
    if (sides.contains(Side.BEFORE)) {
      env.put("flags_before", daemon(site, Side.BEFORE).flags());
      env.put("loomshim_before", args[6]);
    }
    EnvFile.write(results.resolve("env.json"), env);
    try (var skipped = Plan.skippedFile(results.resolve("skipped.csv"))) {
      var plan = new Plan(site, Samples.create(results.resolve("raw.csv")), size, List.copyOf(sides), skipped);
      long begin = System.nanoTime();
      boolean failed = false;
      for (String name : args[4].split(",")) {
        failed |= !measured(plan, name, begin);
      }
      env.put("load_after", Files.readString(Path.of("/proc/loadavg")).strip());
      env.put("seconds", "" + (System.nanoTime() - begin) / 1_000_000_000L);
      EnvFile.write(results.resolve("env.json"), env);
      System.exit(failed ? 1 : 0);
    }
  }

  private static Environment.Daemon daemon(Site site, Side side) throws IOException, InterruptedException {
    String id = site.sleeper(side);
    Environment.Daemon daemon = Environment.daemon(site, site.shim(id));
    site.end(List.of(id));
    return daemon;
  }

  /** A scenario that fails costs its figures, not those of the others. */
  private static boolean measured(Plan plan, String name, long begin) throws Exception {
    Scenario scenario = SCENARIOS.get(name);
    if (scenario == null) {
      throw new IllegalArgumentException("no scenario " + name + "; there are " + SCENARIOS.keySet());
    }
    Plan.say("  %4d s  %s".formatted((System.nanoTime() - begin) / 1_000_000_000L, name));
    try {
      scenario.measure(plan);
      return true;
    } catch (Exception e) {
      Plan.say("    " + name + " failed: " + e);
      e.printStackTrace();
      plan.site().endAll();
      return false;
    }
  }
}
