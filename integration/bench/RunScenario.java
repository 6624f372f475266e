import java.io.IOException;

/** Whole commands: {@code ctr run --rm} of {@code true}, with a daemon that waits and without. */
final class RunScenario implements Scenario {
  @Override
  public void measure(Plan plan) throws IOException, InterruptedException {
    Site site = plan.site();
    var keepers = plan.keepers();
    for (Side side : plan.shims()) {
      warm(site, side); // fills caches
    }
    var bare = new Bare(site);
    for (int i = 0; i < plan.size().commands(); i++) {
      for (Side side : plan.shims()) {
        plan.pause();
        plan.samples().add(Figure.RUN_WARM, side, warm(site, side));
      }
      if (plan.floor()) {
        plan.pause();
        plan.samples().add(Figure.RUN_WARM, Side.FLOOR, bare.run());
      }
    }
    site.end(keepers);
    for (int i = 0; i < plan.size().pick(1, 10, 30); i++) {
      for (Side side : plan.allShims()) {
        if (!side.grouped()) {
          plan.pause();
          double millis = site.command().millis(site.runRemovedCold(side, "cold" + i + side.name()));
          plan.samples().add(Figure.RUN_COLD, side, millis);
        }
      }
    }
  }

  private static double warm(Site site, Side side) throws IOException, InterruptedException {
    return site.command().millis(site.runRemoved(side, site.id("b"), "/bin/true"));
  }
}
