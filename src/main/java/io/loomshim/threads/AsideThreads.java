package io.loomshim.threads;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The platform threads that run steps for {@link Aside}. A few are made as they are needed; more of them only when a
 * step has waited for {@link #GROW_WAIT}, as only then all of those have something to wait for. One that has had
 * nothing to do for {@link #IDLE_MAX} ends, but for the first one: there may be no process left on the machine for
 * another.
 *
 * <p>A registry of the process, as its steps share these threads. {@code lock} guards everything here and is held for
 * moments.
 */
final class AsideThreads {
  /** Threads at once. Each that waits costs some 30 KB; far more than all file systems of a healthy machine need. */
  static final int THREADS_MAX = 256;

  /** Of these for one container: one that is stuck must leave the others enough, however often it is tried. */
  static final int OWNER_MAX = 16;

  /** How long a step waits for its turn while there are so many: they are stuck then. */
  static final Duration TURN_WAIT_MAX = Duration.ofSeconds(5);

  /** How many are made without waiting. */
  static final int EAGER_MAX = Runtime.getRuntime().availableProcessors() + 2;

  /** How long a step waits for one of those before another thread is made: a disk that works is faster. */
  static final Duration GROW_WAIT = Duration.ofMillis(10);

  static final Duration IDLE_MAX = Duration.ofSeconds(10);

  /** How long a caller without a deadline of its own waits: as long as for a runc create, and as mount.nfs(8) tries. */
  static final Duration WAIT_MAX = Duration.ofMinutes(2);

  private static final AsideThreads SHARED = new AsideThreads();

  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<AsideThread> idle = new ArrayDeque<>();
  private final ArrayDeque<AsideStep<?>> queue = new ArrayDeque<>();
  private final List<AsideThread> busy = new ArrayList<>();
  private final AsideWatch watch = new AsideWatch(this);

  private AsideThreads() {}

  /** The threads of this process. */
  static AsideThreads shared() {
    return SHARED;
  }

  /** Gives {@code step} a thread, now or later; {@code alone}: {@link #park} will not be called for it. */
  void submit(AsideStep<?> step, boolean alone) throws AsideException {
    lock.lock();
    try {
      if (!ownerMay(step)) {
        enqueue(step);
      } else if (!idle.isEmpty()) {
        AsideThread thread = idle.poll();
        busy.add(thread);
        thread.take(step);
      } else if (busy.size() < (alone ? THREADS_MAX : EAGER_MAX)) {
        start(step);
      } else {
        enqueue(step);
      }
    } finally {
      lock.unlock();
    }
    watch.begin();
  }

  /** Whether fewer than {@link #OWNER_MAX} steps run for the container that {@code step} is for. */
  private boolean ownerMay(AsideStep<?> step) {
    assert lock.isHeldByCurrentThread();
    int count = 0;
    if (busy.size() >= OWNER_MAX) {
      for (AsideThread thread : busy) {
        count += thread.step().owner.equals(step.owner) ? 1 : 0;
      }
    }
    return count < OWNER_MAX;
  }

  private void enqueue(AsideStep<?> step) {
    assert lock.isHeldByCurrentThread();
    step.growNanos = System.nanoTime() + GROW_WAIT.toNanos();
    step.queued = true;
    queue.add(step);
  }

  private void start(AsideStep<?> step) {
    assert lock.isHeldByCurrentThread();
    var thread = new AsideThread(this, step);
    busy.add(thread);
    try {
      thread.start();
    } catch (OutOfMemoryError e) {
      busy.remove(thread);
      if (busy.isEmpty()) {
        throw e;
      }
      enqueue(step); // no process is left on the machine: those that are there must do
    }
  }

  /** Parks the caller of {@code step}; has a thread made for it if none has taken it in time. */
  void park(AsideStep<?> step, long nanosMax) throws AsideException {
    long left = step.growNanos - System.nanoTime();
    if (!step.queued) {
      if (nanosMax == Long.MAX_VALUE) {
        LockSupport.park(step); // without a timer, which would cost
      } else {
        LockSupport.parkNanos(step, nanosMax);
      }
    } else if (left > 0) {
      LockSupport.parkNanos(step, Math.min(left, nanosMax));
    } else {
      grow(step);
    }
  }

  private void grow(AsideStep<?> step) throws AsideException {
    lock.lock();
    try {
      if (!step.queued) {
        return;
      }
      long now = System.nanoTime();
      if (busy.size() < THREADS_MAX && ownerMay(step)) {
        step.queued = false;
        queue.remove(step);
        start(step);
      } else if (step.patient || now - step.startNanos < TURN_WAIT_MAX.toNanos()) {
        step.growNanos = now + TURN_WAIT_MAX.toNanos(); // the next thread that gets free takes it
      } else {
        step.queued = false;
        queue.remove(step);
        throw AsideException.crowded(step.what, busy.size(), busy.getFirst().step().what);
      }
    } finally {
      lock.unlock();
    }
  }

  /** The caller of {@code step} has gone before it began. */
  void forget(AsideStep<?> step) {
    lock.lock();
    try {
      queue.remove(step);
    } finally {
      lock.unlock();
    }
  }

  List<Aside.Running> running() {
    var list = new ArrayList<Aside.Running>();
    for (AsideStep<?> step : steps()) {
      list.add(new Aside.Running(step.what, step.thread, step.caller, step.startNanos, step.left()));
    }
    list.sort(Comparator.comparingLong(Aside.Running::startNanos));
    return list;
  }

  /** Those that wait for a thread, and those that run. */
  List<AsideStep<?>> steps() {
    lock.lock();
    try {
      var list = new ArrayList<AsideStep<?>>(queue);
      for (AsideThread thread : busy) {
        list.add(thread.step());
      }
      return list;
    } finally {
      lock.unlock();
    }
  }

  /** Gives {@code thread}, which has run its step, the next one; false when there is none and it is idle now. */
  boolean next(AsideThread thread) {
    lock.lock();
    try {
      busy.remove(thread);
      AsideStep<?> next = firstThatMay();
      thread.continueWith(next);
      if (next != null) {
        next.queued = false;
        busy.add(thread);
        return true;
      }
      idle.push(thread);
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** Takes the first of the queue that may run out of it; null if there is none. */
  private AsideStep<?> firstThatMay() {
    assert lock.isHeldByCurrentThread();
    for (AsideStep<?> waiting : queue) {
      if (ownerMay(waiting)) {
        queue.remove(waiting);
        return waiting;
      }
    }
    return null;
  }

  /** Whether {@code thread}, which has been idle for long, ends: it has not been given a step just now. */
  boolean end(AsideThread thread) {
    lock.lock();
    try {
      return thread.step() == null && idle.remove(thread);
    } finally {
      lock.unlock();
    }
  }
}
