package io.loomshim.daemon;

import io.loomshim.container.Containers;
import io.loomshim.linux.FileLock;
import io.loomshim.linux.ProcessCalls;
import io.loomshim.log.Log;
import io.loomshim.rundir.DaemonRecord;
import io.loomshim.rundir.RunDirectory;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Decides when a daemon without containers ends. While there are containers, no thread wakes up here.
 *
 * <p>A launcher drops its lease before it reads the file {@code daemon}. The daemon decides under the lock that a
 * launcher takes to start a daemon. It first removes the file and then looks for leases. A launcher that still read the
 * file has its lease in place, so the daemon stays. A launcher that no longer found the file starts another daemon as
 * soon as the lock is free.
 */
final class Linger {
  /** The shortest look at whether anything has changed: a reply is still under way, or a lease waits for Create. */
  private static final Duration STEP_MIN = Duration.ofMillis(250);

  /** Without lingering, how long a client may take to say Shutdown after its last Delete. */
  private static final Duration SHUTDOWN_WAIT_MAX = Duration.ofSeconds(2);

  /**
   * After this long without a container that comes or goes the daemon gives back the memory of a burst; longer than
   * between two runs.
   */
  private static final Duration TIDY_AFTER = Duration.ofSeconds(2);

  private final RunDirectory directory;
  private final Containers containers;
  private final Duration linger;
  private final DaemonRecord record;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private long changes;
  private long tidied = -1; // the changes before which all has been given back: none yet
  private boolean shutdownAsked;

  Linger(RunDirectory directory, Containers containers, Duration linger, DaemonRecord record) {
    this.directory = directory;
    this.containers = containers;
    this.linger = linger;
    this.record = record;
  }

  /** Notes that a container is being created or has gone. */
  void changed() {
    lock.lock();
    try {
      changes++;
      shutdownAsked = false;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Notes that a client has called Shutdown. */
  void shutdownAsked() {
    lock.lock();
    try {
      shutdownAsked = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Returns when the daemon is to end: new containers go elsewhere from then on. */
  void await() throws InterruptedException {
    while (true) {
      if (quiet() && decided()) {
        return;
      }
    }
  }

  /** Waits for a long enough time without containers; false when a container came within it. */
  private boolean quiet() throws InterruptedException {
    lock.lock();
    try {
      while (!containers.empty()) {
        awaitChange(Long.MAX_VALUE);
      }
      long seen = changes;
      long end = System.nanoTime() + (linger.isZero() ? SHUTDOWN_WAIT_MAX : linger).toNanos();
      for (long now = System.nanoTime(); now - end < 0 && !(linger.isZero() && shutdownAsked);
          now = System.nanoTime()) {
        awaitChange(end - now);
        if (changes != seen) {
          return false;
        }
      }
    } finally {
      lock.unlock();
    }
    TimeUnit.NANOSECONDS.sleep(STEP_MIN.toNanos());
    return containers.empty();
  }

  /** Waits until something has changed, for {@code nanosMax}; meanwhile tidies up, once after each change. */
  private void awaitChange(long nanosMax) throws InterruptedException {
    assert lock.isHeldByCurrentThread();
    if (tidied == changes && nanosMax == Long.MAX_VALUE) {
      changed.await(); // without a timer
    } else if (tidied == changes) {
      changed.awaitNanos(nanosMax);
    } else {
      long seen = changes;
      long left = changed.awaitNanos(Math.min(TIDY_AFTER.toNanos(), nanosMax));
      if (seen == changes && left <= 0 && nanosMax > TIDY_AFTER.toNanos()) {
        tidied = seen;
        tidy();
      }
    }
  }

  /**
   * A full collection shrinks the heap, but holds up all calls for as long as there are many containers; what the
   * compiler no longer needs is malloc's.
   */
  private void tidy() {
    lock.unlock();
    try {
      if (containers.empty()) {
        System.gc();
      }
      ProcessCalls.trimMemory();
    } finally {
      lock.lock();
    }
  }

  private boolean decided() {
    try (FileLock held = directory.lock()) {
      assert held != null;
      directory.withdraw(record);
      // leases first: a Create makes its container known before it removes its lease
      if (!directory.leased() && containers.empty()) {
        return true;
      }
      directory.publish(record);
      return false;
    } catch (IOException e) {
      Log.warn("run directory is gone", "error", String.valueOf(e.getMessage()));
      return containers.empty();
    }
  }
}
