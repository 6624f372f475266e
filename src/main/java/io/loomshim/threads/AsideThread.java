package io.loomshim.threads;

import java.util.concurrent.locks.LockSupport;

/**
 * One of the {@link AsideThreads}: runs a step, then what it is given next, and ends when it has had nothing to do for
 * {@link AsideThreads#IDLE_MAX}. {@code MINE} is a registry of the process: which of these the calling thread is.
 */
final class AsideThread implements Runnable {
  private static final ThreadLocal<AsideThread> MINE = new ThreadLocal<>();

  private final AsideThreads threads;
  private Thread thread; // guarded by the lock of threads
  private volatile AsideStep<?> step; // null while idle
  private boolean stays;

  /** One of {@code threads} that will run {@code step} first. */
  AsideThread(AsideThreads threads, AsideStep<?> step) {
    this.threads = threads;
    this.step = step;
  }

  /** Whether the calling thread is one of these. */
  static boolean mine() {
    return !Thread.currentThread().isVirtual() && MINE.get() != null;
  }

  /** The calling thread will not end, if it is one of these. */
  static void stay() {
    if (mine()) {
      MINE.get().stays = true;
    }
  }

  /** Call only when holding the lock of the threads. */
  void start() {
    thread = Threads.startPlatform("aside", this);
  }

  /** What it runs; only for those that are busy. */
  AsideStep<?> step() {
    return step;
  }

  /** Has this, which is idle, run {@code next}. Call only when holding the lock of the threads. */
  void take(AsideStep<?> next) {
    step = next;
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
    if (threads.next(this)) {
      return true;
    }
    Thread.currentThread().setName("aside");
    long end = System.nanoTime() + AsideThreads.IDLE_MAX.toNanos();
    while (step == null) {
      long left = end - System.nanoTime();
      if (stays) {
        LockSupport.park(this);
      } else if (left > 0) {
        LockSupport.parkNanos(this, left);
      } else if (threads.end(this)) {
        return false;
      }
    }
    return true;
  }

  /** It has {@code next} to run, or nothing if that is null. Call only when holding the lock of the threads. */
  void continueWith(AsideStep<?> next) {
    step = next;
  }
}
