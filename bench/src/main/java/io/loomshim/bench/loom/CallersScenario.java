package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Spread;
import io.loomshim.bench.proc.Activity;
import io.loomshim.bench.proc.Footprint;
import io.loomshim.bench.rpc.StateLoad;
import io.loomshim.bench.site.Direct;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** State on many connections at once ({@link StateLoad}); the sides take turns. */
final class CallersScenario implements LoomScenario {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  @Override
  public void measure(Comparison comparison) throws IOException, InterruptedException {
    try (var turns = Turns.of(comparison, Axis.CALLERS)) {
      for (int round = 0; round < comparison.plan().size().pick(1, 6, 6); round++) {
        comparison.neighbours().look();
        for (int n : turns.counts()) {
          for (Map.Entry<Side, Crowd> each : turns.of(n).entrySet()) {
            if (comparison.late()) {
              comparison.skip(Axis.CALLERS, n, each.getKey(), "no time was left");
            } else {
              load(comparison, each.getKey(), each.getValue(), n);
            }
          }
        }
      }
    }
  }

  private static void load(Comparison comparison, Side side, Crowd crowd, int n)
      throws IOException, InterruptedException {
    try {
      int silent = Bound.within(LIMIT, () -> measured(comparison, side, crowd.first(), n));
      comparison.add(LoomFigures.CALLS_SILENT, n, side, silent);
      if (silent > 0) {
        comparison.fail(Axis.CALLERS, n, side, "State on " + silent + " of " + n + " connections", "no answer");
        crowd.broken();
      }
    } catch (IOException e) {
      comparison.fail(Axis.CALLERS, n, side, "State on " + n + " connections", Failure.text(e));
      crowd.broken();
    }
  }

  /** The number of connections that got no answer. */
  private static int measured(Comparison comparison, Side side, Direct container, int n) throws IOException {
    int millis = comparison.plan().size().pick(100, 250, 1000);
    List<Long> shim = List.of(container.shim());
    try (StateLoad load = StateLoad.warm(container.socket(), container.id(), n)) {
      Activity activity = Activity.begin(shim);
      StateLoad.Result result = load.measure(millis);
      Activity.Done done = activity.end();
      Spread micros = result.micros();
      if (!micros.empty()) {
        comparison.add(LoomFigures.CALLS_RATE, n, side, micros.count() * 1000.0 / millis);
        comparison.add(LoomFigures.CALLS, n, side, micros.median());
        comparison.add(LoomFigures.CALLS_TAIL, n, side, micros.at(0.99));
        comparison.add(LoomFigures.CALLS_WORST, n, side, micros.at(0.999));
        comparison.add(LoomFigures.CALLS_CPU, n, side, done.millis() * 1000 / micros.count());
        comparison.add(LoomFigures.CALLS_SWITCHES, n, side, done.switches() / micros.count());
      }
      comparison.add(LoomFigures.CALLS_THREADS, n, side, Footprint.of(shim).threads());
      return result.silent();
    }
  }
}
