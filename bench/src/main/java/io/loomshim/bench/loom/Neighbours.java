package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Unit;
import io.loomshim.bench.proc.Activity;
import io.loomshim.bench.proc.Proc;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * What else the machine does while the comparison runs, looked at whenever nothing of ours is at work: the processor
 * time of the whole machine, without that of this program and of the shims. The load average would count the sides
 * themselves. Used from one thread.
 */
final class Neighbours {
  /** Processors. From this mean on, the page warns: a tail of one in a thousand calls is made by less. */
  static final double BOUND = 0.1;

  private final List<Double> processors = new ArrayList<>();

  /** What idle shims do within {@code seconds}; the rest of the machine is looked at meanwhile. */
  Activity.Done idle(Collection<Long> shims, int seconds) throws IOException, InterruptedException {
    double busy = Proc.busy();
    double own = own();
    Activity.Done done = Activity.idle(shims, seconds);
    add(Proc.busy() - busy, own() - own, done);
    return done;
  }

  /** A second in which nothing of ours is at work. */
  void look() throws IOException, InterruptedException {
    idle(Set.of(), 1);
  }

  /** Processor seconds of the machine and of this process, while the shims did this. */
  void add(double busy, double own, Activity.Done shims) {
    processors.add(Math.max(0, (busy - own - shims.millis() / 1000) / shims.seconds()));
  }

  private static double own() throws IOException {
    return Proc.cpu(ProcessHandle.current().pid()).own();
  }

  double mean() {
    return processors.stream().mapToDouble(Double::doubleValue).average().orElse(0);
  }

  /** For {@code env.json}: the mean first. */
  String text() {
    double most = processors.stream().mapToDouble(Double::doubleValue).max().orElse(0);
    return Unit.number(mean()) + " processors in the mean of " + processors.size() + " looks, " + Unit.number(most)
        + " at most";
  }

  /** A warning for the text of {@link #text}, or nothing. */
  static String warning(String text) {
    double mean = text.isEmpty() ? 0 : Double.parseDouble(text.substring(0, text.indexOf(' ')));
    return mean <= BOUND ? "" : "The machine had other work while this was measured: " + text + ", where "
        + BOUND + " is the bound. Latencies and rates are not worth quoting; counts of threads, memory and processor"
        + " time for each call are less concerned.";
  }
}
