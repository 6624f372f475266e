package io.loomshim.ttrpc;

import java.util.concurrent.locks.ReentrantLock;

/**
 * The deadlines of the calls of one {@link Client}, which follow one another. A timer for each call would wake two
 * threads when it is set and one when it is cancelled, for an answer that comes within a millisecond. So a timer stays
 * set when its call has ended, and sees what there is when it fires. {@code lock} guards all fields and is held for
 * moments.
 */
final class ClientLimit implements Runnable {
  private final Deadlines deadlines;
  private final Runnable late;
  private final ReentrantLock lock = new ReentrantLock();
  private boolean limited; // there is a call with a deadline
  private long end;
  private boolean set; // there is a timer that fires at or before `end`
  private long fires;
  private boolean passed;

  /** {@code late} is run once for a call whose deadline passes, with the lock held. */
  ClientLimit(Deadlines deadlines, Runnable late) {
    this.deadlines = deadlines;
    this.late = late;
  }

  /** A call begins; {@code nanos} is 0 for one without a deadline. */
  void begin(long nanos) {
    lock.lock();
    try {
      passed = false;
      limited = nanos != 0;
      if (limited) {
        long now = System.nanoTime();
        end = now + nanos;
        if (!set || end - fires < 0) {
          setLocked(now);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** The call has ended; whether its deadline had passed before. */
  boolean end() {
    lock.lock();
    try {
      limited = false;
      return passed;
    } finally {
      lock.unlock();
    }
  }

  /** A timer has fired; runs on the thread for deadlines. */
  @Override
  public void run() {
    lock.lock();
    try {
      long now = System.nanoTime();
      set &= fires - now > 0;
      if (limited && end - now <= 0) {
        limited = false;
        passed = true;
        late.run();
      } else if (limited && !set) {
        setLocked(now);
      }
    } finally {
      lock.unlock();
    }
  }

  private void setLocked(long now) {
    assert lock.isHeldByCurrentThread();
    set = true;
    fires = end;
    deadlines.in(end - now, this);
  }
}
