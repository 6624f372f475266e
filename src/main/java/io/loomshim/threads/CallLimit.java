package io.loomshim.threads;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * How many calls may run at once, as in a server with a pool of so many threads: the threads that wait here stand for
 * the queue of such a pool. They are refused at a limit, so that none waits for ever for others that wait themselves.
 * Any thread may call.
 */
final class CallLimit {
  /** How long a call waits for its turn: long enough for a burst, short enough for a client that shows an error. */
  static final Duration WAIT_MAX = Duration.ofSeconds(5);

  private final int count;
  private final Semaphore free;

  CallLimit(int count) {
    this.count = count;
    this.free = new Semaphore(count, true);
  }

  void enter() throws NoThreadException, InterruptedException {
    if (!free.tryAcquire(WAIT_MAX.toNanos(), TimeUnit.NANOSECONDS)) {
      throw new NoThreadException("no thread is free: all " + count + " of threads=fixed:" + count
          + " have been busy for " + WAIT_MAX.toSeconds() + " s");
    }
  }

  void leave() {
    free.release();
  }
}
