package io.loomshim.ttrpc;

import io.loomshim.threads.Threads;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Runs tasks later unless they are cancelled: the interrupt of a call that takes too long, a look for stuck calls. One
 * virtual thread runs them; it starts with the first deadline, and while none is pending it is parked without a timer.
 * A cancelled task leaves the queue at once, in O(log n). May be used from any thread.
 */
final class Deadlines implements AutoCloseable {
  /** Half of the range of nanoTime, 146 years, so that any two deadlines can be subtracted. */
  static final long TIMEOUT_NANOS_MAX = Long.MAX_VALUE / 2;

  private final OneThread threads;
  private final ScheduledThreadPoolExecutor timer;

  /** Makes a queue whose thread is called {@code name}. */
  Deadlines(String name) {
    this.threads = new OneThread(name);
    this.timer = new ScheduledThreadPoolExecutor(1, threads, new ThreadPoolExecutor.DiscardPolicy());
    timer.setRemoveOnCancelPolicy(true);
  }

  /** Runs {@code task}, which must be short and must not throw, in {@code nanos}; the result cancels it. */
  Future<?> in(long nanos, Runnable task) {
    return timer.schedule(task, nanos, TimeUnit.NANOSECONDS);
  }

  /** Ends the thread. Pending tasks do not run, and new ones are ignored. Can be repeated. */
  @Override
  public void close() {
    timer.shutdownNow();
  }

  /** Returns how many deadlines are pending. */
  int pending() {
    return timer.getQueue().size();
  }

  /** The thread, once it has started; for tests. */
  Optional<Thread> thread() {
    return threads.made;
  }

  private static final class OneThread implements ThreadFactory {
    private final String name;
    private volatile Optional<Thread> made = Optional.empty();

    private OneThread(String name) {
      this.name = name;
    }

    @Override
    public Thread newThread(Runnable task) {
      Thread thread = Threads.unstarted(name, task);
      made = Optional.of(thread);
      return thread;
    }
  }
}
