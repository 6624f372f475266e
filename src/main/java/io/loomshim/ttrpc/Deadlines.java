package io.loomshim.ttrpc;

import io.loomshim.threads.Threads;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Interrupts the calls of one server when their deadlines pass, and looks for stuck ones: one virtual thread for all of
 * them.
 *
 * <p>The thread starts with the first deadline. It sleeps until the earliest one that it saw; a call
 * that ends does not wake it, a call that must end sooner does. While no deadline is pending it is
 * parked without a timer. Everything here is guarded by {@code lock}, which is never held while the
 * lock of a connection is taken.
 */
final class Deadlines {
  /** Half of what nanoTime can tell apart, 146 years: any two deadlines can be subtracted. */
  static final long TIMEOUT_NANOS_MAX = Long.MAX_VALUE / 2;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition sooner = lock.newCondition();
  private final DeadlineHeap heap = new DeadlineHeap();
  private boolean started;
  private boolean closed;
  private boolean armed;
  private long wakeNanos;

  /** Has {@code call} interrupted at its deadline unless it is removed before. */
  void add(Call call) {
    lock.lock();
    try {
      push(call);
    } finally {
      lock.unlock();
    }
  }

  /** Forgets {@code call}; a no-op when it has expired. */
  void remove(Call call) {
    lock.lock();
    try {
      heap.remove(call);
    } finally {
      lock.unlock();
    }
  }

  /** Has {@code alarm} expire at {@code nanos}, unless it is set to an earlier time. */
  void set(StuckCalls alarm, long nanos) {
    lock.lock();
    try {
      if (alarm.heapIndex != DeadlineHeap.ABSENT) {
        if (nanos - alarm.dueNanos() >= 0) {
          return;
        }
        heap.remove(alarm);
      }
      alarm.dueNanos = nanos;
      push(alarm);
    } finally {
      lock.unlock();
    }
  }

  private void push(Timed timed) {
    assert lock.isHeldByCurrentThread();
    if (closed) {
      return;
    }
    heap.add(timed);
    if (!started) {
      started = true;
      Threads.start("deadlines", new Expirer());
    } else if (!armed || timed.dueNanos() - wakeNanos < 0) {
      arm(timed.dueNanos());
      sooner.signal();
    }
  }

  /** Ends the thread; nothing expires any more. */
  void close() {
    lock.lock();
    try {
      closed = true;
      sooner.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Returns how many deadlines are pending. */
  int pending() {
    lock.lock();
    try {
      return heap.size();
    } finally {
      lock.unlock();
    }
  }

  /** Tells whether the thread sleeps with a timer. */
  boolean timed() {
    lock.lock();
    try {
      return armed;
    } finally {
      lock.unlock();
    }
  }

  private final class Expirer implements Runnable {
    @Override
    public void run() {
      for (Timed due = awaitDue(); due != null; due = awaitDue()) {
        due.expire();
      }
    }
  }

  /** Waits for the next deadline to pass and takes out what it belongs to; null when closed. */
  private Timed awaitDue() {
    lock.lock();
    try {
      while (!closed) {
        if (heap.size() == 0) {
          armed = false;
          sooner.awaitUninterruptibly();
          continue;
        }
        Timed first = heap.first();
        long wait = first.dueNanos() - System.nanoTime();
        if (wait <= 0) {
          heap.remove(first);
          return first;
        }
        arm(first.dueNanos());
        sooner.awaitNanos(wait);
      }
      return null;
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts this thread", e);
    } finally {
      lock.unlock();
    }
  }

  private void arm(long nanos) {
    armed = true;
    wakeNanos = nanos;
  }
}
