package io.loomshim.ttrpc;

import io.loomshim.threads.Threads;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * What is to happen later unless it is called off before: the end of a call that takes too long, a look at stuck calls.
 * One virtual thread does it, which starts with the first deadline; while none is pending it is parked without a timer.
 * What is called off leaves the queue at once, in O(log n). May be used from any thread.
 */
final class Deadlines implements AutoCloseable {
  /** Half of what nanoTime can tell apart, 146 years: any two deadlines can be subtracted. */
  static final long TIMEOUT_NANOS_MAX = Long.MAX_VALUE / 2;

  private final OneThread threads;
  private final ScheduledThreadPoolExecutor timer;

  /** Makes one whose thread will be called {@code name}. */
  Deadlines(String name) {
    this.threads = new OneThread(name);
    this.timer = new ScheduledThreadPoolExecutor(1, threads, new ThreadPoolExecutor.DiscardPolicy());
    timer.setRemoveOnCancelPolicy(true);
  }

  /** Runs {@code task}, which must be short and must not throw, in {@code nanos}; the result calls it off. */
  Future<?> in(long nanos, Runnable task) {
    return timer.schedule(task, nanos, TimeUnit.NANOSECONDS);
  }

  /** Ends the thread; nothing happens any more, and what is added is ignored. Can be repeated. */
  @Override
  public void close() {
    timer.shutdownNow();
  }

  /** Returns how many deadlines are pending. */
  int pending() {
    return timer.getQueue().size();
  }

  /** The thread once it has started, for tests. */
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
