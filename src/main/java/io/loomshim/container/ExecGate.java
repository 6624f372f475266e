package io.loomshim.container;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Deadline;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Counts the execs of a container that run or are being started. Once its init has ended none begins any more,
 * and the init's exit is published only after those of all execs: a client that hears of the container's end
 * stops listening.
 */
final class ExecGate {
  private final String id;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition none = lock.newCondition();
  private int running;
  private boolean closed;

  ExecGate(String id) {
    this.id = id;
  }

  /**
   * An exec is about to start.
   *
   * @throws StatusException FAILED_PRECONDITION when the init has ended
   */
  void enter() {
    lock.lock();
    try {
      checkOpen();
      running++;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether an exec could start now.
   *
   * @throws StatusException FAILED_PRECONDITION when the init has ended
   */
  void checkOpen() {
    lock.lock();
    try {
      if (closed) {
        throw new StatusException(
            Code.FAILED_PRECONDITION, "container " + id + " init process is not running: failed precondition");
      }
    } finally {
      lock.unlock();
    }
  }

  /** An exec's end is published, or its start has failed. */
  void leave() {
    lock.lock();
    try {
      running--;
      none.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The init has ended. */
  void close() {
    lock.lock();
    try {
      closed = true;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until no exec is left; false when the deadline passed first. */
  boolean awaitNone(Deadline deadline) throws InterruptedException {
    lock.lock();
    try {
      while (running > 0) {
        long left = deadline.nanosLeft();
        if (left <= 0) {
          return false;
        }
        none.await(left, TimeUnit.NANOSECONDS);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }
}
