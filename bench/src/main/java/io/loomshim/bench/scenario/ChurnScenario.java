package io.loomshim.bench.scenario;

import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.proc.Proc;
import io.loomshim.bench.site.Bare;
import io.loomshim.bench.site.Site;
import java.io.IOException;

/** Many containers that come and go, eight at a time; each must succeed. */
final class ChurnScenario implements Scenario {
  private static final int AT_ONCE = 8;

  @Override
  public void measure(Plan plan) throws IOException, InterruptedException {
    Site site = plan.site();
    int count = plan.size().pick(16, 200, 500);
    var keepers = plan.keepers();
    var bare = new Bare(site);
    for (Side side : plan.sides()) {
      if (side == Side.LOOM_EACH) {
        continue;
      }
      double busy = Proc.busy();
      long begin = System.nanoTime();
      if (side == Side.FLOOR) {
        Site.atOnce(AT_ONCE, count, bare::run);
      } else {
        Site.atOnce(AT_ONCE, count,
            () -> site.command().millis(site.runRemoved(side, site.id("b"), "/bin/true")));
      }
      plan.samples().add(Figure.CHURN, count, side, (System.nanoTime() - begin) / 1e6 / count);
      plan.samples().add(Figure.CHURN_CPU, count, side, (Proc.busy() - busy) * 1e3 / count);
    }
    site.end(keepers);
  }
}
