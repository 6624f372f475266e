package io.loomshim.linux;

import io.loomshim.threads.Threads;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The platform threads that run steps for {@link Aside}. A few are made as they are needed; more of them only when a
 * step has waited for {@link #GROW_WAIT}, as only then all of those have something to wait for. Who has had nothing to
 * do for {@link #IDLE_MAX} ends, but for the first one: there may be no process left on the machine for another.
 *
 * <p>{@code LOCK} guards everything here and is held for moments.
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

  private static final ReentrantLock LOCK = new ReentrantLock();
  private static final ArrayDeque<Worker> IDLE = new ArrayDeque<>();
  private static final ArrayDeque<Aside<?>> QUEUE = new ArrayDeque<>();
  private static final List<Worker> BUSY = new ArrayList<>();
  private static final AtomicBoolean WATCHED = new AtomicBoolean();
  private static final ThreadLocal<Worker> MINE = new ThreadLocal<>();

  private AsideThreads() {}

  /** Whether the calling thread is one of these. */
  static boolean mine() {
    return !Thread.currentThread().isVirtual() && MINE.get() != null;
  }

  /** Makes the first thread, which stays. */
  static void prepare() {
    Aside.finish("nothing", AsideThreads::stay);
  }

  /** The calling thread will not end, if it is one of these. */
  static void stay() {
    if (mine()) {
      MINE.get().stays = true;
    }
  }

  /** {@code alone}: nobody will call {@link #park} for it. */
  static void submit(Aside<?> step, boolean alone) throws AsideException {
    LOCK.lock();
    try {
      if (!ownerMay(step)) {
        enqueue(step);
      } else if (!IDLE.isEmpty()) {
        IDLE.poll().take(step);
      } else if (BUSY.size() < (alone ? THREADS_MAX : EAGER_MAX)) {
        start(step);
      } else {
        enqueue(step);
      }
    } finally {
      LOCK.unlock();
    }
    if (!WATCHED.get() && WATCHED.compareAndSet(false, true)) {
      Threads.start("aside", AsideThreads::watch);
    }
  }

  /** Whether fewer than {@link #OWNER_MAX} steps run for the container that {@code step} is for. */
  private static boolean ownerMay(Aside<?> step) {
    assert LOCK.isHeldByCurrentThread();
    int count = 0;
    if (BUSY.size() >= OWNER_MAX) {
      for (Worker worker : BUSY) {
        count += worker.step.owner.equals(step.owner) ? 1 : 0;
      }
    }
    return count < OWNER_MAX;
  }

  /** What a thread called {@code name} serves, without an exec: {@code web-1} of {@code rpc/Start/web-1/probe}. */
  static String owner(String name) {
    String[] words = name.split("/", 4);
    return words.length < 2 ? name : words[0].equals("rpc") && words.length > 2 ? words[2] : words[1];
  }

  private static void enqueue(Aside<?> step) {
    assert LOCK.isHeldByCurrentThread();
    step.growNanos = System.nanoTime() + GROW_WAIT.toNanos();
    step.queued = true;
    QUEUE.add(step);
  }

  private static void start(Aside<?> step) {
    assert LOCK.isHeldByCurrentThread();
    var worker = new Worker(step);
    BUSY.add(worker);
    try {
      worker.thread = Threads.startPlatform("aside", worker);
    } catch (OutOfMemoryError e) {
      BUSY.remove(worker);
      if (BUSY.isEmpty()) {
        throw e;
      }
      enqueue(step); // no process is left on the machine: those that are there must do
    }
  }

  /** Parks the caller of {@code step}; has a thread made for it if none has taken it in time. */
  static void park(Aside<?> step, long nanosMax) throws AsideException {
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

  private static void grow(Aside<?> step) throws AsideException {
    LOCK.lock();
    try {
      if (!step.queued) {
        return;
      }
      long now = System.nanoTime();
      if (BUSY.size() < THREADS_MAX && ownerMay(step)) {
        step.queued = false;
        QUEUE.remove(step);
        start(step);
      } else if (step.patient || now - step.startNanos < TURN_WAIT_MAX.toNanos()) {
        step.growNanos = now + TURN_WAIT_MAX.toNanos(); // whoever gets free takes it
      } else {
        step.queued = false;
        QUEUE.remove(step);
        throw AsideException.crowded(step.what, BUSY.size(), BUSY.getFirst().step.what);
      }
    } finally {
      LOCK.unlock();
    }
  }

  /** The caller of {@code step} has gone before it began. */
  static void forget(Aside<?> step) {
    LOCK.lock();
    try {
      QUEUE.remove(step);
    } finally {
      LOCK.unlock();
    }
  }

  static List<Aside.Running> running() {
    var list = new ArrayList<Aside.Running>();
    for (Aside<?> step : steps()) {
      list.add(new Aside.Running(step.what, step.thread, step.caller, step.startNanos, step.left()));
    }
    list.sort(Comparator.comparingLong(Aside.Running::startNanos));
    return list;
  }

  private static List<Aside<?>> steps() {
    LOCK.lock();
    try {
      var list = new ArrayList<Aside<?>>(QUEUE);
      for (Worker worker : BUSY) {
        list.add(worker.step);
      }
      return list;
    } finally {
      LOCK.unlock();
    }
  }

  /**
   * The story of the thread {@code aside}, which is there while steps come: ends the waiting for those that take too
   * long. To have a timer for each would cost more than most steps take.
   */
  private static void watch() {
    long wait = WAIT_MAX.toNanos();
    do {
      LockSupport.parkNanos(wait);
      WATCHED.set(false);
      wait = expire();
    } while (wait > 0 && WATCHED.compareAndSet(false, true));
  }

  /** The time until the next step is to expire, 0 if there is none. */
  private static long expire() {
    long now = System.nanoTime();
    long next = 0;
    for (Aside<?> step : steps()) {
      long left = step.startNanos + WAIT_MAX.toNanos() - now;
      if (left <= 0) {
        step.expire();
      } else if (next == 0 || left < next) {
        next = left;
      }
    }
    return next;
  }

  /** One thread. */
  private static final class Worker implements Runnable {
    private Thread thread;
    private volatile Aside<?> step; // null while idle
    private boolean stays;

    Worker(Aside<?> step) {
      this.step = step;
    }

    void take(Aside<?> next) {
      assert LOCK.isHeldByCurrentThread();
      step = next;
      BUSY.add(this);
      LockSupport.unpark(thread);
    }

    @Override
    public void run() {
      MINE.set(this);
      do {
        Thread.currentThread().setName("aside " + step.what + " for " + step.caller);
        step.run();
      } while (next());
    }

    /** Waits for another step; false at the end of this thread. */
    private boolean next() {
      LOCK.lock();
      try {
        BUSY.remove(this);
        step = nextOf(QUEUE);
        if (step != null) {
          step.queued = false;
          BUSY.add(this);
          return true;
        }
        IDLE.push(this);
      } finally {
        LOCK.unlock();
      }
      Thread.currentThread().setName("aside");
      long end = System.nanoTime() + IDLE_MAX.toNanos();
      while (step == null) {
        long left = end - System.nanoTime();
        if (stays) {
          LockSupport.park(this);
        } else if (left > 0) {
          LockSupport.parkNanos(this, left);
        } else if (ends()) {
          return false;
        }
      }
      return true;
    }

    /** Takes out the first that may run. */
    private static Aside<?> nextOf(ArrayDeque<Aside<?>> queue) {
      for (Aside<?> waiting : queue) {
        if (ownerMay(waiting)) {
          queue.remove(waiting);
          return waiting;
        }
      }
      return null;
    }

    private boolean ends() {
      LOCK.lock();
      try {
        return step == null && IDLE.remove(this);
      } finally {
        LOCK.unlock();
      }
    }
  }
}
