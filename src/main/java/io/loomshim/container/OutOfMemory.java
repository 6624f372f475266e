package io.loomshim.container;

import io.loomshim.cgroup.Cgroup;
import io.loomshim.cgroup.OomWatch;
import io.loomshim.log.Log;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Publishes that a container has run out of memory, once its cgroup is known. May be used from any thread; each
 * story of a process's end asks it before it publishes the exit.
 */
final class OutOfMemory {
  private final TaskEvents events;
  private final ReentrantLock order;
  private volatile Optional<OomWatch> watch = Optional.empty();

  /** While {@code order} is held nothing is published: a start event that is under way goes first. */
  OutOfMemory(TaskEvents events, ReentrantLock order) {
    this.events = events;
    this.order = order;
  }

  /** Begins to watch {@code cgroup}; without a memory controller there is nothing to publish. */
  void watch(Cgroup cgroup) {
    try {
      watch = Optional.of(OomWatch.start(events.id(), cgroup, this::publish));
    } catch (IOException e) {
      Log.warn("out of memory will not be noticed", "id", events.id(), "error", String.valueOf(e.getMessage()));
    }
  }

  private void publish() {
    order.lock();
    try {
      events.outOfMemory();
    } finally {
      order.unlock();
    }
  }

  /** Publishes what has happened until now and was not published yet. */
  void check() {
    watch.ifPresent(OomWatch::check);
  }

  /** Publishes the last, and watches no more. */
  void end() {
    check();
    watch.ifPresent(OomWatch::close);
  }
}
