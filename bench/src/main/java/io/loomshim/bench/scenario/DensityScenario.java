package io.loomshim.bench.scenario;

import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.proc.Activity;
import io.loomshim.bench.proc.Footprint;
import io.loomshim.bench.proc.Limits;
import io.loomshim.bench.rpc.Task;
import io.loomshim.bench.site.Site;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * What running containers cost their shims: memory, threads, files, and what an idle shim still does. One side after
 * the other, alone, because two shims of one program share its pages; each side goes up through the numbers of
 * containers as far as the machine allows ({@link Limits}).
 */
final class DensityScenario implements Scenario {
  /** Seconds for which shims that have just worked are left alone. */
  private static final int SETTLE_SECONDS = 2;

  /** Daemons that serve one container each: enough to see what one costs. */
  private static final int EACH_MAX = 100;

  /** Longer than bench.sh lets a daemon linger: none is measured that has worked for an earlier scenario. */
  private static final int LINGER_SECONDS = 6;

  @Override
  public void measure(Plan plan) throws IOException, InterruptedException {
    TimeUnit.SECONDS.sleep(LINGER_SECONDS);
    for (Side side : plan.allShims()) {
      climb(plan, side);
      plan.site().endAll();
    }
  }

  private static void climb(Plan plan, Side side) throws IOException, InterruptedException {
    var ids = new ArrayList<String>();
    var limits = new Limits();
    for (int count : plan.size().densities()) {
      if (side == Side.LOOM_EACH && count > EACH_MAX) {
        return;
      }
      String reason = limits.against(count, ids.size());
      if (!reason.isEmpty()) {
        plan.skip(Figure.PSS, count, side, reason);
        return;
      }
      Plan.say("    " + side.title() + ": " + count + " containers");
      limits.starting();
      ids.addAll(plan.site().sleepers(side, count - ids.size()));
      limits.started(ids.size());
      TimeUnit.SECONDS.sleep(plan.size().pick(1, SETTLE_SECONDS, SETTLE_SECONDS));
      Set<Long> shims = plan.site().shims(ids);
      idle(plan, side, count, shims);
      still(plan, side, count, shims);
      limits.seen(shims);
      responds(plan.site(), ids);
    }
  }

  private static void idle(Plan plan, Side side, int count, Set<Long> shims) throws IOException, InterruptedException {
    Activity.Done done = Activity.idle(shims, plan.size().pick(1, 4, 6));
    plan.samples().add(Figure.IDLE_CPU, count, side, done.millis() / done.seconds());
    plan.samples().add(Figure.WAKEUPS, count, side, done.switches() / done.seconds());
  }

  private static void still(Plan plan, Side side, int count, Set<Long> shims) throws IOException {
    Footprint footprint = Footprint.of(shims);
    plan.samples().add(Figure.PSS, count, side, footprint.pss());
    plan.samples().add(Figure.RSS, count, side, footprint.rss());
    plan.samples().add(Figure.THREADS, count, side, footprint.threads());
    plan.samples().add(Figure.FILES, count, side, footprint.files());
  }

  /** A container that only looks as if it ran would make every figure worthless: each must take an exec. */
  private static void responds(Site site, List<String> ids) throws IOException, InterruptedException {
    for (String id : List.of(ids.getFirst(), ids.getLast())) {
      try (Task task = Task.connect(site.socket(id), id)) {
        task.execTrue(site.id("e"));
      }
    }
  }
}
