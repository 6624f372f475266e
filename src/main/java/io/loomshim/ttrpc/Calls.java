package io.loomshim.ttrpc;

import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The calls in flight of one connection, until their reply has been written. May be used from any thread; {@code lock}
 * guards everything that changes, in the entries too.
 *
 * <p>A call is interrupted only under the lock and only while its handler runs. Its thread calls {@link #replies}
 * before it writes, so an interrupt cannot hit the write, which would close the channel, or come later.
 */
final class Calls {
  /**
   * Calls in flight, so that one connection cannot make the heap grow without bound. At the limit nothing is read from
   * the connection until a call ends, and the loss of the peer is noticed only when a reply is written. Far above what
   * containerd needs: a Wait per process and a few calls.
   */
  static final int CALLS_MAX = 4096;

  /** Where a call stands. */
  private enum State { RUNNING, LATE, GONE, REPLYING }

  /** The place of one call in the list. */
  static final class Entry {
    private final Call call;
    private State state = State.RUNNING;
    private Entry previous;
    private Entry next;

    Entry(Call call) {
      this.call = call;
    }
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition slotFree = lock.newCondition();
  private Entry latest;
  private int count;
  private boolean closed;

  /** Waits for a free slot and lists the call, which may have left the list before; false when this is closed. */
  boolean enter(Entry entry) {
    lock.lock();
    try {
      while (count >= CALLS_MAX && !closed) {
        slotFree.awaitUninterruptibly();
      }
      if (closed) {
        return false;
      }
      count++;
      entry.previous = null; // it may have been listed before
      entry.next = latest;
      if (latest != null) {
        latest.previous = entry;
      }
      latest = entry;
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Interrupts a call whose deadline has passed, if its handler runs and has not been interrupted yet. */
  void late(Entry entry) {
    lock.lock();
    try {
      interruptLocked(entry, State.LATE);
    } finally {
      lock.unlock();
    }
  }

  /** Tells whether the call was interrupted by its deadline. */
  boolean wasLate(Entry entry) {
    lock.lock();
    try {
      return entry.state == State.LATE;
    } finally {
      lock.unlock();
    }
  }

  /** Notes that the handler has ended, after which the call is not interrupted. Returns whether its reply is wanted. */
  boolean replies(Entry entry) {
    lock.lock();
    try {
      entry.state = State.REPLYING;
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  /** Takes the call off the list. */
  void leave(Entry entry) {
    lock.lock();
    try {
      if (entry.previous == null) {
        latest = entry.next;
      } else {
        entry.previous.next = entry.next;
      }
      if (entry.next != null) {
        entry.next.previous = entry.previous;
      }
      if (count-- == CALLS_MAX) {
        slotFree.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Interrupts all calls and accepts no more. */
  void close() {
    lock.lock();
    try {
      closed = true;
      for (Entry entry = latest; entry != null; entry = entry.next) {
        interruptLocked(entry, State.GONE);
      }
      slotFree.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Whether there is a call other than {@code own} that does not just wait without a limit for something to happen. */
  boolean busyBeside(Call own) {
    lock.lock();
    try {
      for (Entry entry = latest; entry != null; entry = entry.next) {
        if (entry.call != own && (!entry.call.endless() || entry.state == State.REPLYING)) {
          return true;
        }
      }
      return false;
    } finally {
      lock.unlock();
    }
  }

  int count() {
    lock.lock();
    try {
      return count;
    } finally {
      lock.unlock();
    }
  }

  /** Adds the calls to {@code list}, the latest first. */
  void addTo(List<Call> list) {
    lock.lock();
    try {
      for (Entry entry = latest; entry != null; entry = entry.next) {
        list.add(entry.call);
      }
    } finally {
      lock.unlock();
    }
  }

  private void interruptLocked(Entry entry, State why) {
    assert lock.isHeldByCurrentThread();
    if (entry.state == State.RUNNING) {
      entry.state = why;
      entry.call.thread.interrupt();
    }
  }
}
