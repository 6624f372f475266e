package io.loomshim.linux;

import io.loomshim.log.Log;
import io.loomshim.threads.Threads;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets virtual threads wait for file descriptors without holding a carrier: the one thread
 * {@code poller} sits in epoll_wait(2) and unparks the thread that waits. It sleeps without a timeout, so an
 * idle process never wakes. It is a registry of the process: one thread for all that wait.
 *
 * <p>A wait adds its descriptor, with Epoll.ONESHOT as a rule, and takes it out at its end. One descriptor has at
 * most one waiter at a time; to wait for both directions, duplicate it. The socket of a connection stays here instead
 * ({@link PolledSocket}), with both directions.
 */
public final class Poller {
  /** Events taken per wake-up; more simply come with the next one. */
  private static final int EVENTS_MAX = 64;

  /** Between two tries to wake a thread while there is no memory for it. */
  private static final long WAKE_PAUSE_NANOS = 1_000_000;

  private static final Poller SHARED = new Poller();

  /** Who is told of the events of one descriptor. */
  interface Told {
    /** {@code kinds} has come, {@link Epoll#READABLE} and the like. On the thread {@code poller}; waits for nothing. */
    void tell(int kinds);
  }

  /** One parked thread. Written by the poller thread before it unparks. */
  private static final class Waiter implements Told {
    final Thread thread = Thread.currentThread();
    final int wakes; // the events that this waits for
    volatile boolean ready;

    Waiter(int wakes) {
      this.wakes = wakes;
    }

    @Override
    public void tell(int kinds) {
      if ((kinds & wakes) != 0) {
        ready = true;
        wake(thread);
      }
    }
  }

  private final ReentrantLock beginning = new ReentrantLock();
  private volatile Epoll epoll; // null until the first wait; written when holding that, once
  private final AtomicLong tokens = new AtomicLong();
  private final ConcurrentHashMap<Long, Waiter> waiters = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Long, Told> sockets = new ConcurrentHashMap<>(); // their tokens are negative

  private Poller() {}

  /** The poller of this process. */
  public static Poller shared() {
    return SHARED;
  }

  /**
   * Makes the epoll instance and the thread, if they are not there yet; each wait does so too.
   *
   * @throws ErrnoException EMFILE and the like; the next one tries again
   */
  public void begin() throws ErrnoException {
    if (epoll != null) {
      return;
    }
    beginning.lock();
    try {
      if (epoll == null) {
        Epoll begun = Epoll.open();
        try {
          Threads.startPlatform("poller", () -> run(begun));
        } catch (OutOfMemoryError e) {
          begun.close(); // no OS thread for it
          throw e;
        }
        epoll = begun;
      }
    } finally {
      beginning.unlock();
    }
  }

  /** Parks until {@code fd} can be read, or has an error or hang-up that a read would tell of. */
  public void awaitReadable(Fd fd) throws ErrnoException, InterruptedException {
    await(fd, Epoll.READABLE, Deadline.NEVER);
  }

  /** The same with a limit; false when that passed first. */
  public boolean awaitReadable(Fd fd, Deadline deadline) throws ErrnoException, InterruptedException {
    return await(fd, Epoll.READABLE, deadline);
  }

  /**
   * Parks until there is something to read, whether the other side has hung up or not. The master of a pseudo
   * terminal is hung up while no process has the other side open, but one may open it again.
   */
  public void awaitData(Fd fd) throws ErrnoException, InterruptedException {
    // edge-triggered, so that the hang-up that lasts is told once instead of again and again
    await(fd, Epoll.READABLE | Epoll.EDGE, Epoll.READABLE | Epoll.ERROR, Deadline.NEVER);
  }

  /** Parks until {@code fd} can be written. */
  public void awaitWritable(Fd fd) throws ErrnoException, InterruptedException {
    await(fd, Epoll.WRITABLE, Deadline.NEVER);
  }

  /** The same with a limit; false when that passed first. */
  public boolean awaitWritable(Fd fd, Deadline deadline) throws ErrnoException, InterruptedException {
    return await(fd, Epoll.WRITABLE, deadline);
  }

  /** The number of threads that wait now, those aside that wait for a {@link PolledSocket}. */
  public int waiting() {
    return waiters.size();
  }

  /** Has {@code told} be told of what is armed with the number that is returned, until {@link #remove}. */
  long add(Told told) {
    long token = -tokens.incrementAndGet();
    sockets.put(token, told);
    return token;
  }

  /** Has the next of {@code events} of {@code fd} told, once; instead of what was armed before and is not told yet. */
  void arm(Fd fd, int events, long token) throws ErrnoException {
    begin();
    epoll.set(fd, events | Epoll.ONESHOT, token);
  }

  /** Ends what {@link #add} and {@link #arm} have begun; {@code fd} is still open. */
  void remove(Fd fd, long token) {
    sockets.remove(token);
    Epoll begun = epoll;
    if (begun != null) {
      begun.remove(fd);
    }
  }

  private boolean await(Fd fd, int event, Deadline deadline) throws ErrnoException, InterruptedException {
    return await(fd, event | Epoll.ONESHOT, event | Epoll.ERROR | Epoll.HANG_UP, deadline);
  }

  private boolean await(Fd fd, int events, int wakes, Deadline deadline)
      throws ErrnoException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    begin();
    var waiter = new Waiter(wakes);
    long token = tokens.incrementAndGet();
    waiters.put(token, waiter);
    try {
      epoll.add(fd, events, token);
    } catch (ErrnoException e) {
      waiters.remove(token);
      throw e;
    }
    try {
      while (!waiter.ready) {
        long left = deadline.nanosLeft();
        if (left <= 0) {
          return false;
        }
        if (left == Long.MAX_VALUE) {
          LockSupport.park(this);
        } else {
          LockSupport.parkNanos(this, left);
        }
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
      }
      return true;
    } finally {
      waiters.remove(token);
      if (!fd.closed()) {
        ErrnoException.check("epoll_ctl", epoll.remove(fd));
      }
    }
  }

  /** The key is an object, for which there may be no memory now. */
  private Told waiter(long token) {
    while (true) {
      try {
        return token < 0 ? sockets.get(token) : waiters.get(token);
      } catch (OutOfMemoryError e) {
        LockSupport.parkNanos(WAKE_PAUSE_NANOS);
      }
    }
  }

  /** Without heap or OS threads the JVM may fail to make a thread run; no other thread would, so it is tried again. */
  static void wake(Thread thread) {
    while (true) {
      try {
        LockSupport.unpark(thread);
        return;
      } catch (OutOfMemoryError e) {
        LockSupport.parkNanos(WAKE_PAUSE_NANOS);
      }
    }
  }

  /** What the thread {@code poller} does. */
  private void run(Epoll epoll) {
    try (var events = new Epoll.Events(EVENTS_MAX)) {
      while (true) {
        int count = epoll.await(events);
        for (int i = 0; i < count; i++) {
          Told waiter = waiter(events.token(i));
          if (waiter != null) {
            waiter.tell(events.kinds(i));
          }
        }
      }
    } catch (ErrnoException e) {
      Log.error("poller stopped", "error", e.reason());
    }
  }
}
