package io.loomshim.bench.scenario;

import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Spread;
import io.loomshim.bench.proc.Activity;
import io.loomshim.bench.proc.Limits;
import io.loomshim.bench.proc.Proc;
import io.loomshim.bench.rpc.Task;
import io.loomshim.bench.site.Direct;
import io.loomshim.bench.site.Site;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * Execs in a shim that serves many containers: what an exec costs, and what each further container adds to it. Every
 * side with one shim for all has as many containers, without containerd between; they stay while the sides take turns,
 * so what the kernel does for all containers of a machine counts for each side. Processor time and counts say more here
 * than time, on a machine that does other work.
 */
final class BesideScenario implements Scenario {
  /** Containers that are begun or ended at once; in a group of the Go shim one after another. */
  private static final int HELPERS = 4;

  @Override
  public void measure(Plan plan) throws IOException, InterruptedException {
    var crowds = new LinkedHashMap<Side, ConcurrentLinkedDeque<Direct>>();
    for (Side side : plan.shims()) {
      if (side.shared()) {
        crowds.put(side, new ConcurrentLinkedDeque<>());
      }
    }
    climb(plan, crowds);
    for (ConcurrentLinkedDeque<Direct> crowd : crowds.values()) {
      end(crowd);
    }
  }

  private static void climb(Plan plan, Map<Side, ConcurrentLinkedDeque<Direct>> crowds)
      throws IOException, InterruptedException {
    var limits = new Limits();
    int sides = crowds.size();
    int running = 0;
    for (int count : plan.size().crowds()) {
      String reason = limits.against(count * sides, running);
      if (!reason.isEmpty()) {
        crowds.keySet().forEach(side -> plan.skip(Figure.BESIDE_CPU, count, side, reason));
        return;
      }
      Plan.say("    " + count + " containers on each side");
      limits.starting();
      var shims = new LinkedHashSet<Long>();
      for (Map.Entry<Side, ConcurrentLinkedDeque<Direct>> each : crowds.entrySet()) {
        grow(plan.site(), each.getKey(), each.getValue(), count);
        shims.add(shim(each.getKey(), each.getValue()));
      }
      running = count * sides;
      limits.started(running);
      limits.seenOfSides(shims);
      for (int round = 0; round < plan.size().pick(1, 3, 5); round++) {
        for (Map.Entry<Side, ConcurrentLinkedDeque<Direct>> each : crowds.entrySet()) {
          execs(plan, each.getKey(), count, each.getValue().getFirst());
        }
      }
    }
  }

  private static void grow(Site site, Side side, ConcurrentLinkedDeque<Direct> crowd, int count)
      throws IOException, InterruptedException {
    Site.atOnce(side.grouped() ? 1 : HELPERS, count - crowd.size(), () -> {
      Direct container = Direct.prepare(site, side);
      container.startShim();
      try (Task task = container.connect(Task.LIMIT)) {
        task.create(container.bundle());
        task.start("");
      }
      return crowd.add(container);
    });
  }

  /** The one process that serves them all: a side that has got a second one is not what is to be measured. */
  private static long shim(Side side, ConcurrentLinkedDeque<Direct> crowd) throws IOException {
    var shims = new LinkedHashMap<Long, Integer>();
    for (Direct container : crowd) {
      shims.merge(container.shim(), 1, Integer::sum);
    }
    if (shims.size() > 1) {
      throw new IOException(side.title() + " has several shims, with so many containers each: " + shims.values());
    }
    return shims.keySet().iterator().next();
  }

  private static void execs(Plan plan, Side side, int n, Direct container) throws IOException, InterruptedException {
    int count = plan.size().pick(3, 30, 60);
    long shim = container.shim();
    var millis = new ArrayList<Double>(count);
    try (Task task = container.connect(Task.LIMIT)) {
      task.execTrue(plan.site().id("e"));
      Activity activity = Activity.begin(List.of(shim));
      Proc.Cpu before = Proc.cpu(shim);
      for (int i = 0; i < count; i++) {
        long begin = System.nanoTime();
        task.execTrue(plan.site().id("e"));
        millis.add((System.nanoTime() - begin) / 1e6);
      }
      Proc.Cpu used = Proc.cpu(shim).since(before);
      plan.samples().add(Figure.BESIDE_CPU, n, side, used.all() * 1000 / count);
      plan.samples().add(Figure.BESIDE_CPU_OWN, n, side, used.own() * 1000 / count);
      plan.samples().add(Figure.BESIDE_SWITCHES, n, side, activity.end().switches() / count);
    }
    plan.samples().add(Figure.BESIDE, n, side, new Spread(millis).median());
    plan.samples().add(Figure.BESIDE_FILES, n, side, Proc.files(shim));
  }

  /** The youngest first: in a group of the Go shim the directory of the first container is needed to the last. */
  private static void end(ConcurrentLinkedDeque<Direct> crowd) throws IOException, InterruptedException {
    var ended = new ConcurrentLinkedDeque<Direct>();
    Site.atOnce(HELPERS, crowd.size(), () -> {
      Direct container = crowd.removeLast();
      try (Task task = container.connect(Task.LIMIT)) {
        task.kill("");
        task.await("");
        task.delete("");
        task.shutdown();
      }
      return ended.add(container);
    });
    for (Direct container : ended) {
      container.close();
    }
  }
}
