package io.loomshim.container;

import io.loomshim.cgroup.Cgroup;
import io.loomshim.cgroup.OomWatch;
import io.loomshim.errors.Scarcity;
import io.loomshim.log.Log;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Finds the cgroup of a container and publishes that it has run out of memory. May be used from any thread; each
 * story of a process's end asks it before it publishes the exit. Nobody calls it who holds {@code order}: a thread
 * that sees a kill holds the watch's lock when it waits for that one.
 */
final class OutOfMemory {
  private final TaskEvents events;
  private final ReentrantLock order;
  private volatile Optional<Cgroup> cgroup = Optional.empty();
  private volatile Optional<OomWatch> watch = Optional.empty();
  private final ReentrantLock finding = new ReentrantLock();
  private volatile int unfound; // the init, if there was no descriptor to find its cgroup with

  /** While {@code order} is held nothing is published: a start event that is under way goes first. */
  OutOfMemory(TaskEvents events, ReentrantLock order) {
    this.events = events;
    this.order = order;
  }

  /**
   * Begins to watch the cgroup of {@code pid}, the init; to be called after the event that makes the container known
   * and before its end is waited for, which it must not prevent. Without a memory controller there is nothing to
   * publish.
   */
  void watch(int pid) {
    assert !order.isHeldByCurrentThread();
    try {
      cgroup = Cgroup.of(pid);
      unfound = 0;
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      Log.warn("no cgroup found", "id", events.id(), "error", String.valueOf(e.getMessage()));
      unfound = Scarcity.of(e) ? pid : 0;
    }
    if (cgroup.isPresent()) {
      try {
        watch = Optional.of(OomWatch.start(events.id(), cgroup.get(), this::publish));
      } catch (IOException | RuntimeException | OutOfMemoryError e) {
        Log.warn("out of memory will not be noticed", "id", events.id(), "error", String.valueOf(e.getMessage()));
      }
    }
  }

  /** The container's own cgroup; a restored one has it only once it has started. */
  Optional<Cgroup> cgroup() {
    if (unfound != 0 && finding.tryLock()) {
      try {
        watch(unfound);
      } finally {
        finding.unlock();
      }
    }
    return cgroup;
  }

  private void publish() {
    order.lock();
    try {
      events.outOfMemory();
    } finally {
      order.unlock();
    }
  }

  /** Publishes what has happened until now and was not published yet. Whoever asks has an exit to publish. */
  void check() {
    assert !order.isHeldByCurrentThread();
    try {
      watch.ifPresent(OomWatch::check);
    } catch (RuntimeException | OutOfMemoryError e) {
      Log.error("out of memory was not noticed", "id", events.id(), "error", e.toString());
    }
  }

  /** Publishes the last, and watches no more. */
  void end() {
    unfound = 0; // its pid may soon be another's
    check();
    watch.ifPresent(OomWatch::close);
  }
}
