package io.loomshim.daemon;

import io.loomshim.linux.FileLock;
import io.loomshim.log.Log;
import io.loomshim.task.TaskService;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Decides when a daemon without containers ends. While there are containers nothing here wakes up.
 *
 * <p>A launcher drops its lease before it reads the file {@code daemon}. The decision, under the lock that a
 * launcher without a daemon takes, first removes that file and then looks for leases: a launcher that still
 * read the file has its lease in place, and the daemon stays; one that did not starts a daemon of its own
 * once the lock is free.
 */
final class Linger {
  /** The shortest look at whether anything has changed: a reply is still under way, or a lease waits for Create. */
  private static final Duration STEP_MIN = Duration.ofMillis(250);

  /** Without lingering, how long a client may take to say Shutdown after its last Delete. */
  private static final Duration SHUTDOWN_WAIT_MAX = Duration.ofSeconds(2);

  /** A daemon without containers for so long gives back the memory that a burst has left it; not between two runs. */
  private static final Duration TIDY_AFTER = Duration.ofSeconds(2);

  private final RunDirectory directory;
  private final TaskService tasks;
  private final Duration linger;
  private final String record;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private long changes;
  private boolean shutdownAsked;

  Linger(RunDirectory directory, TaskService tasks, Duration linger, String record) {
    this.directory = directory;
    this.tasks = tasks;
    this.linger = linger;
    this.record = record;
  }

  /** A container is coming or has gone. */
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

  /** A client has said Shutdown. */
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

  /** Waits for a time without containers that is long enough; false when something came between. */
  private boolean quiet() throws InterruptedException {
    lock.lock();
    try {
      while (!tasks.idle()) {
        changed.await();
      }
      long seen = changes;
      long end = System.nanoTime() + (linger.isZero() ? SHUTDOWN_WAIT_MAX : linger).toNanos();
      long tidy = System.nanoTime() + TIDY_AFTER.toNanos();
      for (long now = System.nanoTime(); now - end < 0 && !(linger.isZero() && shutdownAsked);
          now = System.nanoTime()) {
        if (tidy - end < 0 && now - tidy >= 0) {
          System.gc(); // shrinks the heap, too
          tidy = end;
        }
        changed.awaitNanos(Math.min(tidy, end) - now);
        if (changes != seen) {
          return false;
        }
      }
    } finally {
      lock.unlock();
    }
    TimeUnit.NANOSECONDS.sleep(STEP_MIN.toNanos());
    return tasks.idle();
  }

  private boolean decided() {
    try (FileLock held = directory.lock()) {
      assert held != null;
      directory.withdraw(record);
      // leases first: a Create makes its container known before it takes its lease away
      if (!directory.leased() && tasks.idle()) {
        return true;
      }
      directory.publish(record);
      return false;
    } catch (IOException e) {
      Log.warn("run directory is gone", "error", String.valueOf(e.getMessage()));
      return tasks.idle();
    }
  }
}
