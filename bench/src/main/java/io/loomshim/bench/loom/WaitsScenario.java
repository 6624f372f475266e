package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.figure.Size;
import io.loomshim.bench.proc.Activity;
import io.loomshim.bench.proc.Footprint;
import io.loomshim.bench.proc.Limits;
import io.loomshim.bench.scenario.Plan;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Containers that run, each with a connection and a blocked Wait: what they cost, and what one more client sees. One
 * side after the other, alone, because two shims of one program share its pages; each goes up through the numbers as
 * far as the machine allows ({@link Limits}) and its share of the time ({@link Share}), or until it is starved. The
 * Waits are there only while a cell is measured, so that a side whose threads they have all taken can still start the
 * containers of the next cell.
 */
final class WaitsScenario implements LoomScenario {
  private static final Probe.Figures STATE = new Probe.Figures(LoomFigures.STATE, LoomFigures.STATE_TAIL,
      LoomFigures.STATE_WORST, Optional.of(LoomFigures.STATE_SWITCHES));

  @Override
  public void measure(Comparison comparison) throws IOException, InterruptedException {
    var sides = new ArrayList<Side>();
    for (Side side : comparison.plan().sides()) {
      if (!comparison.counts(Axis.WAITS, side).isEmpty()) {
        sides.add(side);
      }
    }
    // those with few containers first: what they leave of their shares goes to those with many
    sides.sort(Comparator.comparing(side -> comparison.counts(Axis.WAITS, side).getLast()));
    for (int i = 0; i < sides.size(); i++) {
      try (var crowd = new Crowd(comparison.plan().site(), sides.get(i))) {
        climb(comparison, sides.get(i), Share.of(comparison.end(), sides.size() - i), crowd);
      }
    }
  }

  private static void climb(Comparison comparison, Side side, Share share, Crowd crowd)
      throws IOException, InterruptedException {
    var limits = new Limits();
    for (int count : comparison.counts(Axis.WAITS, side)) {
      String reason = comparison.late() ? "no time was left"
          : share.against(count, count - crowd.size(), limits.secondsEach());
      if (reason.isEmpty()) {
        reason = limits.against(count, crowd.size());
      }
      if (!reason.isEmpty()) {
        comparison.skip(Axis.WAITS, count, side, reason);
        return;
      }
      Plan.say("    " + side.title() + ": " + count + " containers");
      limits.starting();
      try {
        crowd.grow(count);
      } catch (IOException e) {
        comparison.fail(Axis.WAITS, count, side, "start of container " + (crowd.size() + 1), Failure.text(e));
        return;
      }
      limits.started(crowd.size());
      if (!cell(comparison, side, count, crowd)) {
        crowd.broken();
        return;
      }
      limits.seen(crowd.shims());
    }
  }

  /** False when the shim does not answer any more. */
  private static boolean cell(Comparison comparison, Side side, int count, Crowd crowd)
      throws IOException, InterruptedException {
    Size size = comparison.plan().size();
    try (Waits waits = Bound.within(Crowd.CALL_MAX, () -> Waits.open(crowd.members()))) {
      waits.settle(Variants.limited(side) && count > 1);
      TimeUnit.SECONDS.sleep(size.pick(1, 1, 2));
      Activity.Done idle = comparison.neighbours().idle(crowd.shims(), size.pick(1, 2, 3));
      comparison.add(LoomFigures.IDLE_SWITCHES, count, side, idle.switches() / idle.seconds());
      Footprint footprint = Footprint.of(crowd.shims());
      comparison.add(LoomFigures.THREADS, count, side, footprint.threads());
      comparison.add(LoomFigures.PSS, count, side, footprint.pss());
      comparison.add(LoomFigures.RSS, count, side, footprint.rss());
      waits.look();
      comparison.add(LoomFigures.REFUSED, count, side, waits.refused() + waits.silent());
      if (waits.refused() > 0) {
        comparison.fail(Axis.WAITS, count, side, waits.refused() + " of " + count + " Waits", waits.refusals());
      }
      if (waits.silent() > 0) {
        comparison.fail(Axis.WAITS, count, side, waits.silent() + " of " + count + " Waits", "not taken up");
      }
      var probe = new Probe(comparison, Axis.WAITS, count, side, crowd.first());
      boolean answers = probe.state(STATE);
      return probe.exec() | answers;
    } catch (IOException e) {
      comparison.fail(Axis.WAITS, count, side, "Waits", Failure.text(e));
      return false;
    }
  }
}
