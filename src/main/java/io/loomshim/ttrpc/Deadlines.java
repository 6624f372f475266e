package io.loomshim.ttrpc;

import io.loomshim.threads.Threads;
import java.util.Arrays;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Interrupts the calls of one server when their deadlines pass: one virtual thread for all of them.
 *
 * <p>The thread starts with the first deadline. It sleeps until the earliest one that it saw; a call
 * that ends does not wake it, a call that must end sooner does. While no deadline is pending it is
 * parked without a timer. Everything here is guarded by {@code lock}, which is never held while the
 * lock of a connection is taken.
 *
 * <p>The heap is our own because a call leaves it far more often than it expires: each call knows its
 * place, so that removal is O(log n) where java.util's queue would search.
 */
final class Deadlines {
  /** The index of a call that is not in the heap. */
  static final int ABSENT = -1;

  /** Half of what nanoTime can tell apart, 146 years: any two deadlines can be subtracted. */
  static final long TIMEOUT_NANOS_MAX = Long.MAX_VALUE / 2;

  private static final int CAPACITY = 16;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition sooner = lock.newCondition();
  private Call[] heap = new Call[CAPACITY];
  private int size;
  private boolean started;
  private boolean closed;
  private boolean armed;
  private long wakeNanos;

  /** Interrupts {@code call} at its deadline unless it is removed before. */
  void add(Call call) {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      if (size == heap.length) {
        heap = Arrays.copyOf(heap, size * 2);
      }
      siftUp(size++, call);
      if (!started) {
        started = true;
        Threads.start("deadlines", new Expirer());
      } else if (!armed || call.deadlineNanos() - wakeNanos < 0) {
        arm(call.deadlineNanos());
        sooner.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Forgets {@code call}; a no-op when it has expired. */
  void remove(Call call) {
    lock.lock();
    try {
      removeLocked(call);
    } finally {
      lock.unlock();
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
      return size;
    } finally {
      lock.unlock();
    }
  }

  private final class Expirer implements Runnable {
    @Override
    public void run() {
      for (Call due = awaitDue(); due != null; due = awaitDue()) {
        due.owner().cancel(due, Call.Cancel.DEADLINE);
      }
    }
  }

  /** Waits for the next deadline to pass and takes its call out; null when closed. */
  private Call awaitDue() {
    lock.lock();
    try {
      while (!closed) {
        if (size == 0) {
          armed = false;
          sooner.awaitUninterruptibly();
          continue;
        }
        Call first = heap[0];
        long wait = first.deadlineNanos() - System.nanoTime();
        if (wait <= 0) {
          removeLocked(first);
          return first;
        }
        arm(first.deadlineNanos());
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

  private void removeLocked(Call call) {
    assert lock.isHeldByCurrentThread();
    int hole = call.heapIndex;
    if (hole == ABSENT) {
      return;
    }
    call.heapIndex = ABSENT;
    Call last = heap[--size];
    heap[size] = null;
    if (last == call) {
      return;
    }
    siftDown(hole, last);
    if (heap[hole] == last) {
      siftUp(hole, last);
    }
  }

  private void siftUp(int hole, Call call) {
    int at = hole;
    while (at > 0) {
      int parent = at - 1 >>> 1;
      if (heap[parent].deadlineNanos() - call.deadlineNanos() <= 0) {
        break;
      }
      place(at, heap[parent]);
      at = parent;
    }
    place(at, call);
  }

  private void siftDown(int hole, Call call) {
    int at = hole;
    for (int child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && heap[child + 1].deadlineNanos() - heap[child].deadlineNanos() < 0) {
        child++;
      }
      if (call.deadlineNanos() - heap[child].deadlineNanos() <= 0) {
        break;
      }
      place(at, heap[child]);
      at = child;
    }
    place(at, call);
  }

  private void place(int at, Call call) {
    heap[at] = call;
    call.heapIndex = at;
  }
}
