package io.loomshim.container;

import io.loomshim.cgroup.Cgroup;
import io.loomshim.cgroup.OomWatch;
import io.loomshim.log.Log;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Publishes that a container has run out of memory. May be used from any thread; each thread that publishes an exit
 * asks it first. It must not be called with {@code order} held: a thread that sees a kill holds the watch's lock when
 * it waits for that one.
 */
final class OutOfMemory implements OomWatch.Kills {
  private final TaskEvents events;
  private final ReentrantLock order;
  private final ReentrantLock beginning = new ReentrantLock();
  private volatile Optional<OomWatch> watch = Optional.empty();
  private volatile Optional<Later> later = Optional.empty(); // changed when holding beginning

  /** What is to be watched, and has been told of it. */
  private record Later(Cgroup cgroup, Map<Long, Long> told) {}

  /** While {@code order} is held nothing is published: a start event that is under way goes first. */
  OutOfMemory(TaskEvents events, ReentrantLock order) {
    this.events = events;
    this.order = order;
  }

  /**
   * Begins to watch {@code cgroup}, which the caller's work does not depend on. Without a memory controller there is
   * nothing to publish.
   */
  void watch(Cgroup cgroup) {
    watch(cgroup, Map.of());
  }

  /**
   * The same for a cgroup of which {@code told} has been published, by the inode of its directory; from {@link #begin}
   * on, which each check does first.
   */
  void watchLater(Cgroup cgroup, Map<Long, Long> told) {
    later = Optional.of(new Later(cgroup, told));
  }

  /** Begins what {@link #watchLater} was told of, unless that was done. */
  void begin() {
    assert !order.isHeldByCurrentThread();
    if (later.isEmpty()) {
      return;
    }
    beginning.lock();
    try {
      if (later.isPresent()) {
        watch(later.get().cgroup(), later.get().told());
        later = Optional.empty();
      }
    } finally {
      beginning.unlock();
    }
  }

  private void watch(Cgroup cgroup, Map<Long, Long> told) {
    assert !order.isHeldByCurrentThread();
    try {
      watch = Optional.of(OomWatch.start(events.id(), cgroup, this, told));
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      Log.warn("OOM kills will not be noticed", "id", events.id(), "error", String.valueOf(e.getMessage()));
    }
  }

  /** Publishes kills; for the watch to call. */
  @Override
  public void told(long times, Map<Long, Long> counted) {
    order.lock();
    try {
      events.outOfMemory(times, counted);
    } finally {
      order.unlock();
    }
  }

  /** Publishes what has happened until now and was not published yet; to be called before an exit is published. */
  void check() {
    assert !order.isHeldByCurrentThread();
    begin();
    try {
      watch.ifPresent(OomWatch::check);
    } catch (RuntimeException | OutOfMemoryError e) {
      Log.error("failed to look for OOM kills", "id", events.id(), "error", e.toString());
    }
  }

  /** Publishes the last, and watches no more. */
  void end() {
    check();
    watch.ifPresent(OomWatch::close);
  }
}
