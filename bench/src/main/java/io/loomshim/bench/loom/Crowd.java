package io.loomshim.bench.loom;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.proc.Proc;
import io.loomshim.bench.rpc.Task;
import io.loomshim.bench.scenario.Plan;
import io.loomshim.bench.site.Direct;
import io.loomshim.bench.site.Site;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/**
 * The containers of one side, without containerd between ({@link Direct}). A shim that does not answer any more is
 * ended by its process id, and what it leaves behind is removed by its own {@code delete}, as containerd would do it.
 */
final class Crowd implements AutoCloseable {
  /** No call takes this long in a shim that is not starved. */
  static final Duration CALL_MAX = Duration.ofSeconds(20);

  private static final int HELPERS = 4;
  private static final int END_SECONDS_MAX = 15;

  private final Site site;
  private final Side side;
  private final ConcurrentLinkedQueue<Direct> begun = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<Direct> running = new ConcurrentLinkedQueue<>();
  private volatile boolean broken;

  Crowd(Site site, Side side) {
    this.site = site;
    this.side = side;
  }

  int size() {
    return running.size();
  }

  List<Direct> members() {
    return List.copyOf(running);
  }

  Direct first() {
    return running.element();
  }

  /** Starts containers until there are {@code count}. After an error nothing more can be started. */
  void grow(int count) throws IOException, InterruptedException {
    Site.atOnce(HELPERS, count - size(), () -> {
      if (!broken) {
        begin();
      }
      return count;
    });
  }

  private void begin() throws IOException, InterruptedException {
    Direct container = Direct.prepare(site, side);
    begun.add(container);
    try {
      container.startShim();
      try (Task task = container.connect(CALL_MAX)) {
        task.create(container.bundle());
        task.start("");
      }
      running.add(container);
    } catch (IOException | RuntimeException e) {
      broken = true;
      throw e;
    }
  }

  boolean isBroken() {
    return broken;
  }

  /** The shim does not answer any more. */
  void broken() {
    broken = true;
  }

  /** The processes that serve the containers. */
  Set<Long> shims() throws IOException {
    var pids = new LinkedHashSet<Long>();
    for (Direct container : broken ? begun : running) {
      pids.add(container.shim());
    }
    return pids;
  }

  /** Ends everything, and waits until the shims are gone, so that the next side has the machine for itself. */
  @Override
  public void close() throws IOException, InterruptedException {
    Set<Long> shims = shims();
    if (!broken) {
      try {
        each(running, this::end);
      } catch (IOException e) {
        Plan.say("    " + side.title() + " does not end its containers: " + Failure.text(e));
        broken = true;
      }
    }
    if (broken) {
      for (long shim : shims) {
        ProcessHandle.of(shim).ifPresent(ProcessHandle::destroyForcibly);
      }
      awaitEnd(shims);
      each(begun, Direct::deleteShim);
    }
    awaitEnd(shims);
    each(begun, container -> {
      container.close();
      return 0.0;
    });
  }

  private double end(Direct container) throws IOException, InterruptedException {
    try (Task task = container.connect(CALL_MAX)) {
      task.kill("");
      task.await("");
      task.delete("");
      task.shutdown();
    }
    return 0;
  }

  private interface Step {
    double run(Direct container) throws IOException, InterruptedException;
  }

  /** The youngest first: in a group of the Go shim the directory of the first container is needed to the last. */
  private static void each(Iterable<Direct> containers, Step step) throws IOException, InterruptedException {
    var list = new ArrayList<Direct>();
    containers.forEach(list::add);
    list.sort(Comparator.comparing(Direct::number).reversed());
    var left = new ConcurrentLinkedQueue<>(list);
    Site.atOnce(HELPERS, left.size(), () -> step.run(left.remove()));
  }

  private static void awaitEnd(Set<Long> shims) throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS_MAX);
    for (long shim : shims) {
      while (Proc.alive(shim) && System.nanoTime() < end) {
        TimeUnit.MILLISECONDS.sleep(20);
      }
      if (Proc.alive(shim)) {
        ProcessHandle.of(shim).ifPresent(ProcessHandle::destroyForcibly);
      }
    }
  }
}
