package io.loomshim.threads;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * At most so many platform threads for calls and connections: what a server with a thread pool does. Who needs one
 * more waits for it, and is refused at a limit, so that nothing waits for ever for a thread that waits itself.
 * Any thread may call.
 */
final class CallThreads {
  /** How long a call waits for a thread: long enough for a burst, short enough for a client that shows an error. */
  static final Duration WAIT_MAX = Duration.ofSeconds(5);

  private final int count;
  private final Semaphore free;

  CallThreads(int count) {
    this.count = count;
    this.free = new Semaphore(count, true);
  }

  void start(String name, Runnable task) throws NoThreadException {
    if (!acquired()) {
      throw new NoThreadException("no thread is free: all " + count + " of threads=fixed:" + count
          + " have been busy for " + WAIT_MAX.toSeconds() + " s");
    }
    boolean started = false;
    try {
      Threads.start(name, () -> {
        try {
          task.run();
        } finally {
          free.release();
        }
      });
      started = true;
    } finally {
      if (!started) {
        free.release();
      }
    }
  }

  private boolean acquired() {
    try {
      return free.tryAcquire(WAIT_MAX.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
