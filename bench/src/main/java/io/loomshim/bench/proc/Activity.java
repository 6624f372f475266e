package io.loomshim.bench.proc;

import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What the threads of shim processes have done since {@link #begin}. A thread that has ended takes its figures along:
 * exact only where no thread comes and goes.
 */
public final class Activity {
  private final Collection<Long> shims;
  private final Map<String, Proc.Run> before;
  private final long begin = System.nanoTime();

  private Activity(Collection<Long> shims) throws IOException {
    this.shims = shims;
    this.before = threads(shims);
  }

  public static Activity begin(Collection<Long> shims) throws IOException {
    return new Activity(shims);
  }

  /** Milliseconds on a processor, context switches, and the seconds that have passed. */
  public record Done(double millis, double switches, double seconds) {}

  public Done end() throws IOException {
    double seconds = (System.nanoTime() - begin) / 1e9;
    double nanos = 0;
    double switches = 0;
    for (Map.Entry<String, Proc.Run> each : threads(shims).entrySet()) {
      Proc.Run earlier = before.getOrDefault(each.getKey(), new Proc.Run(0, 0));
      nanos += each.getValue().nanos() - earlier.nanos();
      switches += each.getValue().switches() - earlier.switches();
    }
    return new Done(nanos / 1e6, switches, seconds);
  }

  /** What is done while nobody asks for anything. Before anything else, because a look at a process may wake it. */
  public static Done idle(Collection<Long> shims, int seconds) throws IOException, InterruptedException {
    Activity activity = begin(shims);
    TimeUnit.SECONDS.sleep(seconds);
    return activity.end();
  }

  private static Map<String, Proc.Run> threads(Collection<Long> shims) throws IOException {
    var threads = new HashMap<String, Proc.Run>();
    for (long shim : shims) {
      threads.putAll(Proc.threads(shim));
    }
    return threads;
  }
}
