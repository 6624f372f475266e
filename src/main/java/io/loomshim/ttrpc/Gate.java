package io.loomshim.ttrpc;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Holds calls back that have not begun, while another server is about to take the place of this one. It is open at
 * first; to pass it costs a volatile read. May be used from any thread; {@code lock} guards the change.
 *
 * <p>A call is listed among those in flight before it passes, and whoever closes the gate looks at the list after that:
 * so a call that has passed is seen there.
 */
final class Gate {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition opened = lock.newCondition();
  private volatile boolean closed;

  /**
   * Lists a call of {@code line} as one in flight: when the gate is open, or when its request is nowhere but here.
   *
   * @return false when the connection is closed
   */
  boolean enter(Calls calls, Calls.Entry entry, Line line) {
    while (calls.enter(entry)) {
      if (!closed || !line.keeps()) {
        return true;
      }
      calls.leave(entry);
      await();
    }
    return false;
  }

  void close() {
    closed = true;
  }

  /** Lets go on all that wait. */
  void open() {
    lock.lock();
    try {
      closed = false;
      opened.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Not cut short by an interrupt. */
  private void await() {
    lock.lock();
    try {
      while (closed) {
        opened.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }
}
