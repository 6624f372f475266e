package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Size;
import io.loomshim.bench.proc.Activity;
import io.loomshim.bench.proc.Footprint;
import io.loomshim.bench.proc.Proc;
import io.loomshim.bench.rpc.Task;
import io.loomshim.bench.scenario.Plan;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Calls that wait and nothing else: one container, one process in it, and many connections with a Wait for that process
 * each. What a parked call costs is seen here alone, without that of a container, and what it takes to wake them all at
 * once. One side after the other, because two shims of one program share its pages.
 */
final class ParkedScenario implements LoomScenario {
  /** From the Kill until all have their answers; the Go shims and a busy machine have taken a second. */
  private static final Duration WAKE_MAX = Duration.ofSeconds(20);

  /** The kernel counts processor time in steps of 10 ms: too coarse for fewer answers. */
  private static final int TELLING = 1000;

  private static final Probe.Figures STATE = new Probe.Figures(LoomFigures.PARKED_STATE, LoomFigures.PARKED_TAIL,
      LoomFigures.PARKED_WORST, Optional.empty());

  @Override
  public void measure(Comparison comparison) throws IOException, InterruptedException {
    for (Side side : comparison.plan().sides()) {
      List<Integer> counts = comparison.counts(Axis.PARKED, side);
      if (counts.isEmpty()) {
        continue;
      }
      if (comparison.late()) {
        comparison.skip(Axis.PARKED, counts.getFirst(), side, "no time was left");
        continue;
      }
      try (var crowd = new Crowd(comparison.plan().site(), side)) {
        climb(comparison, side, crowd, counts);
      }
    }
  }

  private static void climb(Comparison comparison, Side side, Crowd crowd, List<Integer> counts)
      throws IOException, InterruptedException {
    try {
      crowd.grow(1);
    } catch (IOException e) {
      comparison.fail(Axis.PARKED, counts.getFirst(), side, "start of a container", Failure.text(e));
      return;
    }
    for (int n : counts) {
      if (comparison.late()) {
        comparison.skip(Axis.PARKED, n, side, "no time was left");
        return;
      }
      Plan.say("    " + side.title() + ": " + n + " parked calls");
      try (Task task = crowd.first().connect(Crowd.CALL_MAX)) {
        cell(comparison, side, crowd, task, n);
      } catch (IOException e) {
        comparison.fail(Axis.PARKED, n, side, n + " Waits", Failure.text(e));
        crowd.broken();
        return;
      }
    }
  }

  private static void cell(Comparison comparison, Side side, Crowd crowd, Task task, int n)
      throws IOException, InterruptedException {
    Size size = comparison.plan().size();
    String exec = comparison.plan().site().id("p");
    task.exec(exec, "/bin/sleep", "100000");
    task.start(exec);
    double before = Footprint.of(crowd.shims()).pss();
    try (Waits waits = Bound.within(Crowd.CALL_MAX, () -> Waits.open(crowd.first(), exec, n))) {
      waits.settle(false);
      TimeUnit.SECONDS.sleep(1);
      Activity.Done idle = comparison.neighbours().idle(crowd.shims(), size.pick(1, 1, 3));
      Footprint footprint = Footprint.of(crowd.shims());
      comparison.add(LoomFigures.PARKED_IDLE, n, side, idle.switches() / idle.seconds());
      comparison.add(LoomFigures.PARKED_THREADS, n, side, footprint.threads());
      comparison.add(LoomFigures.PARKED_PSS, n, side, footprint.pss());
      comparison.add(LoomFigures.PARKED_EACH, n, side, (footprint.pss() - before) * 1024 / n);
      if (waits.silent() + waits.refused() > 0) {
        comparison.fail(Axis.PARKED, n, side, waits.silent() + waits.refused() + " of " + n + " Waits",
            waits.refused() > 0 ? waits.refusals() : "not taken up");
      }
      new Probe(comparison, Axis.PARKED, n, side, crowd.first()).state(STATE);
      wake(comparison, side, crowd, task, exec, waits, n);
    }
  }

  private static void wake(Comparison comparison, Side side, Crowd crowd, Task task, String exec, Waits waits, int n)
      throws IOException, InterruptedException {
    long shim = crowd.first().shim();
    Proc.Cpu cpu = Proc.cpu(shim);
    long begin = System.nanoTime();
    task.kill(exec);
    Bound.within(WAKE_MAX.plusSeconds(5), () -> {
      waits.awaitEnds(WAKE_MAX);
      return n;
    });
    double millis = (System.nanoTime() - begin) / 1e6;
    if (waits.ended() == n) {
      comparison.add(LoomFigures.PARKED_WAKE, n, side, millis);
      if (n >= TELLING) {
        comparison.add(LoomFigures.PARKED_WAKE_CPU, n, side, Proc.cpu(shim).since(cpu).own() * 1e6 / n);
      }
    } else {
      comparison.fail(Axis.PARKED, n, side, n - waits.ended() + " of " + n + " Waits after the end of the process",
          "no answer");
    }
    task.delete(exec);
  }
}
