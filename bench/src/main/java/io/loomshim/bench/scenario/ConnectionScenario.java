package io.loomshim.bench.scenario;

import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Spread;
import io.loomshim.bench.proc.Proc;
import io.loomshim.bench.rpc.StateLoad;
import io.loomshim.bench.site.Site;
import java.io.IOException;
import java.util.Map;

/** State on many connections to one shim at once ({@link StateLoad}): calls per second and the 99th percentile. */
final class ConnectionScenario implements Scenario {
  private static final int[] CONNECTIONS = {1, 50, 500};

  @Override
  public void measure(Plan plan) throws IOException, InterruptedException {
    Site site = plan.site();
    Map<Side, String> ids = plan.sleepers();
    int millis = plan.size().pick(100, 1000, 1500);
    for (int round = 0; round < plan.size().pick(1, 3, 5); round++) {
      for (int count : CONNECTIONS) {
        for (Map.Entry<Side, String> each : ids.entrySet()) {
          Spread micros = StateLoad.run(site.socket(each.getValue()), each.getValue(), count, millis).micros();
          plan.samples().add(Figure.CONN_RATE, count, each.getKey(), micros.count() * 1000.0 / millis);
          plan.samples().add(Figure.CONN_TAIL, count, each.getKey(), micros.at(0.99));
        }
      }
    }
    for (Map.Entry<Side, String> each : ids.entrySet()) {
      long shim = site.shim(each.getValue());
      plan.samples().add(Figure.PSS_AFTER, each.getKey(), Proc.number(shim, "smaps_rollup", "Pss:") / 1024.0);
    }
    site.endAll();
  }
}
