package io.loomshim.linux;

import io.loomshim.log.Log;
import io.loomshim.threads.Threads;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets virtual threads wait for file descriptors without holding a carrier: the one thread
 * {@code poller} sits in epoll_wait(2) and unparks whoever waits. It sleeps without a timeout, so an
 * idle process never wakes.
 *
 * <p>A wait adds its descriptor, with EPOLLONESHOT as a rule, and takes it out at its end. One descriptor has at
 * most one waiter at a time; to wait for both directions, duplicate it.
 */
public final class Poller {
  private static final int EPOLLIN = 1;
  private static final int EPOLLOUT = 4;
  private static final int EPOLLERR = 8;
  private static final int EPOLLHUP = 16;
  private static final int EPOLLONESHOT = 1 << 30;
  private static final int EPOLLET = 1 << 31;
  private static final int EPOLL_CLOEXEC = 02000000;
  private static final int ADD = 1;
  private static final int DELETE = 2;

  /** Events taken per wake-up; more simply come with the next one. */
  private static final int EVENTS_MAX = 64;

  /** Between two tries to wake a thread while there is no memory for it. */
  private static final long WAKE_PAUSE_NANOS = 1_000_000;

  // struct epoll_event is packed on x86_64 only (sys/epoll.h)
  private static final boolean PACKED = System.getProperty("os.arch").equals("amd64");
  private static final int EVENT_BYTES = PACKED ? 12 : 16;
  private static final int DATA_OFFSET = PACKED ? 4 : 8;

  private static final long EPOLL_CREATE1 = Native.function("epoll_create1");
  private static final long EPOLL_CTL = Native.function("epoll_ctl");
  private static final long EPOLL_WAIT = Native.function("epoll_wait");

  private static final Poller SHARED = new Poller();

  /** One parked thread. Written by the poller thread before it unparks. */
  private static final class Waiter {
    final Thread thread = Thread.currentThread();
    final int wakes; // the events that this waits for
    volatile boolean ready;

    Waiter(int wakes) {
      this.wakes = wakes;
    }
  }

  private final ReentrantLock beginning = new ReentrantLock();
  private volatile int epoll = -1; // written when holding that, once
  private final AtomicLong tokens = new AtomicLong();
  private final ConcurrentHashMap<Long, Waiter> waiters = new ConcurrentHashMap<>();

  private Poller() {}

  /** The poller of this process. */
  public static Poller shared() {
    return SHARED;
  }

  /**
   * Makes the epoll instance and the thread, if nobody has; each wait does so too.
   *
   * @throws ErrnoException EMFILE and the like; the next one tries again
   */
  public void begin() throws ErrnoException {
    if (epoll >= 0) {
      return;
    }
    beginning.lock();
    try {
      if (epoll < 0) {
        int number = ErrnoException.check("epoll_create1", Native.callInt(EPOLL_CREATE1, EPOLL_CLOEXEC, 0, 0, 0, 0, 0));
        var fd = new Fd(number);
        try {
          Threads.startPlatform("poller", () -> run(number));
        } catch (OutOfMemoryError e) {
          fd.close(); // no OS thread for it
          throw e;
        }
        epoll = number;
      }
    } finally {
      beginning.unlock();
    }
  }

  /** Parks until {@code fd} can be read, or has an error or hang-up that a read would tell of. */
  public void awaitReadable(Fd fd) throws ErrnoException, InterruptedException {
    await(fd, EPOLLIN, Deadline.NEVER);
  }

  /** The same with a limit; false when that passed first. */
  public boolean awaitReadable(Fd fd, Deadline deadline) throws ErrnoException, InterruptedException {
    return await(fd, EPOLLIN, deadline);
  }

  /**
   * Parks until there is something to read, whether the other side has hung up or not. The master of a pseudo
   * terminal is hung up while no process has the other side open, but one may open it again.
   */
  public void awaitData(Fd fd) throws ErrnoException, InterruptedException {
    // edge-triggered, so that the hang-up that lasts is told once instead of again and again
    await(fd, EPOLLIN | EPOLLET, EPOLLIN | EPOLLERR, Deadline.NEVER);
  }

  /** Parks until {@code fd} can be written. */
  public void awaitWritable(Fd fd) throws ErrnoException, InterruptedException {
    await(fd, EPOLLOUT, Deadline.NEVER);
  }

  /** The same with a limit; false when that passed first. */
  public boolean awaitWritable(Fd fd, Deadline deadline) throws ErrnoException, InterruptedException {
    return await(fd, EPOLLOUT, deadline);
  }

  /** The number of threads that wait now. */
  public int waiting() {
    return waiters.size();
  }

  private boolean await(Fd fd, int event, Deadline deadline) throws ErrnoException, InterruptedException {
    return await(fd, event | EPOLLONESHOT, event | EPOLLERR | EPOLLHUP, deadline);
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
      control(ADD, fd.number(), events, token);
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
        control(DELETE, fd.number(), 0, 0);
      }
    }
  }

  private void control(int operation, int fd, int events, long token) throws ErrnoException {
    try (var arena = new Arena(EVENT_BYTES)) {
      long event = arena.bytes(EVENT_BYTES);
      Native.MEMORY.putInt(event, events);
      Native.MEMORY.putLong(event + DATA_OFFSET, token);
      ErrnoException.check("epoll_ctl", Native.callInt(EPOLL_CTL, epoll, operation, fd, event, 0, 0));
    }
  }

  /** The key is an object, for which there may be no memory now. */
  private Waiter waiter(long token) {
    while (true) {
      try {
        return waiters.get(token);
      } catch (OutOfMemoryError e) {
        LockSupport.parkNanos(WAKE_PAUSE_NANOS);
      }
    }
  }

  /** Without heap or OS threads the JVM may fail to make a thread run; nobody else would, so it is tried again. */
  private static void wake(Thread thread) {
    while (true) {
      try {
        LockSupport.unpark(thread);
        return;
      } catch (OutOfMemoryError e) {
        LockSupport.parkNanos(WAKE_PAUSE_NANOS);
      }
    }
  }

  /** The story of the thread {@code poller}. */
  private void run(int epoll) {
    var arena = new Arena((long) EVENTS_MAX * EVENT_BYTES);
    long events = arena.bytes((long) EVENTS_MAX * EVENT_BYTES);
    while (true) {
      int count = Native.callInt(EPOLL_WAIT, epoll, events, EVENTS_MAX, -1, 0, 0);
      if (count < 0) {
        if (count != -Errno.EINTR) {
          Log.error("poller stopped", "error", Errno.text(-count));
          return;
        }
        continue;
      }
      for (int i = 0; i < count; i++) {
        long event = events + (long) i * EVENT_BYTES;
        Waiter waiter = waiter(Native.MEMORY.getLong(event + DATA_OFFSET));
        if (waiter != null && (Native.MEMORY.getInt(event) & waiter.wakes) != 0) {
          waiter.ready = true;
          wake(waiter.thread);
        }
      }
    }
  }
}
