package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Spread;
import io.loomshim.bench.proc.Proc;
import io.loomshim.bench.rpc.Task;
import io.loomshim.bench.site.Direct;
import io.loomshim.bench.site.Site;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Many execs of true at once in one container, through one connection; the sides take turns. */
final class ExecsScenario implements LoomScenario {
  /** A side that has taken this long gives no more samples: the Go shims take a minute for 50 at once. */
  private static final double MILLIS_MAX = 20_000;

  /** How often the threads are counted. */
  private static final Duration COUNTING = Duration.ofMillis(20);

  @Override
  public void measure(Comparison comparison) throws IOException, InterruptedException {
    try (var turns = Turns.of(comparison, Axis.EXECS)) {
      var spent = new LinkedHashMap<Side, Double>();
      for (int round = 0; round < comparison.plan().size().pick(1, 2, 4); round++) {
        comparison.neighbours().look();
        for (int n : turns.counts()) {
          for (Map.Entry<Side, Crowd> each : turns.of(n).entrySet()) {
            if (spent.getOrDefault(each.getKey(), 0.0) > MILLIS_MAX) {
              if (round == 0) {
                comparison.skip(Axis.EXECS, n, each.getKey(), "fewer have taken more than 20 s");
              }
            } else if (comparison.late()) {
              comparison.skip(Axis.EXECS, n, each.getKey(), "no time was left");
            } else {
              spent.merge(each.getKey(), batch(comparison, each.getKey(), each.getValue(), n), Double::sum);
            }
          }
        }
      }
    }
  }

  /** Milliseconds that it took. */
  private static double batch(Comparison comparison, Side side, Crowd crowd, int n)
      throws IOException, InterruptedException {
    // of few at once several, so that one batch says something
    int count = Math.max(n, comparison.plan().size().pick(2, 5, 10));
    Direct container = crowd.first();
    long shim = container.shim();
    var millis = new ConcurrentLinkedQueue<Double>();
    // the Go shims are slow here, but do not hang
    Duration limit = Variants.GO.contains(side) ? Task.LIMIT : Crowd.CALL_MAX;
    long begin = System.nanoTime();
    try (Task task = container.connect(limit); var peak = new Peak(shim, COUNTING)) {
      Proc.Cpu before = Proc.cpu(shim);
      long switches = Proc.switches();
      Site.atOnce(n, count, () -> {
        long from = System.nanoTime();
        task.execTrue(comparison.plan().site().id("e"));
        return millis.add((System.nanoTime() - from) / 1e6);
      });
      double seconds = (System.nanoTime() - begin) / 1e9;
      switches = Proc.switches() - switches;
      var spread = new Spread(new ArrayList<>(millis));
      comparison.add(LoomFigures.EXECS_RATE, n, side, count / seconds);
      comparison.add(LoomFigures.EXECS, n, side, spread.median());
      comparison.add(LoomFigures.EXECS_TAIL, n, side, spread.at(0.99));
      comparison.add(LoomFigures.EXECS_CPU, n, side, Proc.cpu(shim).since(before).all() * 1000 / count);
      comparison.add(LoomFigures.EXECS_SWITCHES, n, side, (double) switches / count);
      comparison.add(LoomFigures.EXECS_THREADS, n, side, peak.most());
    } catch (IOException | RuntimeException e) {
      comparison.fail(Axis.EXECS, n, side, (count - millis.size()) + " of " + count + " execs", Failure.text(e));
      crowd.broken();
    }
    return (System.nanoTime() - begin) / 1e6;
  }
}
