package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Figure;
import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Spread;
import io.loomshim.bench.proc.Activity;
import io.loomshim.bench.proc.Proc;
import io.loomshim.bench.rpc.Caller;
import io.loomshim.bench.rpc.Task;
import io.loomshim.bench.site.Direct;
import io.loomshim.proto.task.StateRequest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What one more client sees of a shim: State and exec of one container, one call after another. */
record Probe(Comparison comparison, Axis axis, int n, Side side, Direct container) {
  /** Percent of the calls that come before the first one that counts. */
  private static final int WARM_UP = 20;

  /** So many batches give an interval of 97 % ({@code Interval}). */
  private static final int BATCHES = 6;

  /** Where the figures of State go; {@code switches} are those of the shim for each call. */
  record Figures(Figure median, Figure tail, Figure worst, Optional<Figure> switches) {}

  /**
   * Median, 99th and 99.9th percentile and context switches of State, each of several batches; false if there was no
   * answer.
   */
  boolean state(Figures figures) throws IOException, InterruptedException {
    int count = comparison.plan().size().pick(100, 1000, 3000);
    int batches = comparison.plan().size().pick(1, BATCHES, BATCHES);
    var request = StateRequest.newBuilder().setId(container.id()).build();
    try {
      Bound.within(Crowd.CALL_MAX, () -> {
        try (Caller caller = Caller.connect(container.socket(), "State", request)) {
          for (int i = 0; i < count * WARM_UP / 100; i++) {
            caller.call();
          }
          for (int i = 0; i < batches; i++) {
            measure(figures, caller, count);
          }
        }
        return count;
      });
      return true;
    } catch (IOException e) {
      comparison.fail(axis, n, side, "State", Failure.text(e));
      return false;
    }
  }

  private void measure(Figures figures, Caller caller, int count) throws IOException {
    var micros = new ArrayList<Double>(count);
    Activity activity = Activity.begin(List.of(container.shim()));
    for (int i = 0; i < count; i++) {
      micros.add(caller.call());
    }
    Activity.Done done = activity.end();
    var spread = new Spread(micros);
    comparison.add(figures.median(), n, side, spread.median());
    comparison.add(figures.tail(), n, side, spread.at(0.99));
    comparison.add(figures.worst(), n, side, spread.at(0.999));
    if (figures.switches().isPresent()) {
      comparison.add(figures.switches().get(), n, side, done.switches() / count);
    }
  }

  /** Median, 99th percentile, processor time and context switches of exec of true; false if one failed. */
  boolean exec() throws IOException, InterruptedException {
    int count = comparison.plan().size().pick(3, 30, 100);
    long shim = container.shim();
    var millis = new ArrayList<Double>(count);
    try (Task task = container.connect(Crowd.CALL_MAX)) {
      task.execTrue(comparison.plan().site().id("e"));
      Proc.Cpu before = Proc.cpu(shim);
      long switches = Proc.switches();
      for (int i = 0; i < count; i++) {
        long begin = System.nanoTime();
        task.execTrue(comparison.plan().site().id("e"));
        millis.add((System.nanoTime() - begin) / 1e6);
      }
      switches = Proc.switches() - switches;
      comparison.add(LoomFigures.EXEC_CPU, n, side, Proc.cpu(shim).since(before).all() * 1000 / count);
      comparison.add(LoomFigures.EXEC_SWITCHES, n, side, (double) switches / count);
    } catch (IOException | RuntimeException e) {
      comparison.fail(axis, n, side, "exec", Failure.text(e));
      return false;
    }
    var spread = new Spread(millis);
    comparison.add(LoomFigures.EXEC, n, side, spread.median());
    comparison.add(LoomFigures.EXEC_TAIL, n, side, spread.at(0.99));
    return true;
  }
}
