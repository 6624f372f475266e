package io.loomshim.linux;

import io.loomshim.log.Log;
import io.loomshim.threads.Threads;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Moves the bytes of all {@link Flow}s on one platform thread, {@code mover}, which sits in epoll_wait(2) and then
 * moves itself: a byte that waits for a virtual thread would wait for one more change of threads. It sleeps without a
 * timeout while nothing flows.
 *
 * <p>A splice waits for no bytes and no room, but it may wait in the kernel for somebody who is in the middle of a
 * write to the same pipe, and that may be a process whose memory does not come. So while bytes move, the virtual thread
 * {@code mover/watch} looks after the mover, and when that has been in one call for too long another thread takes its
 * place; it ends when it comes back. Each event is taken singly and once (EPOLLONESHOT), so that nothing is lost with
 * one that is stuck.
 */
final class Mover {
  private static final int EPOLLIN = 1;
  private static final int EPOLLOUT = 4;
  private static final int EPOLLONESHOT = 1 << 30;
  private static final int EPOLL_CLOEXEC = 02000000;
  private static final int ADD = 1;
  private static final int DELETE = 2;
  private static final int MODIFY = 3;

  /** The token of the descriptor that wakes the mover for requests. */
  private static final long REQUESTS = 0;

  /** Between two looks after the mover, which is stuck when it is in the same call at both. */
  private static final long LOOK_NANOS = 100_000_000;

  /** Between two tries while there is no memory. */
  private static final long SCARCE_PAUSE_NANOS = 1_000_000;

  // struct epoll_event is packed on x86_64 only (sys/epoll.h)
  private static final boolean PACKED = System.getProperty("os.arch").equals("amd64");
  private static final int EVENT_BYTES = PACKED ? 12 : 16;
  private static final int DATA_OFFSET = PACKED ? 4 : 8;

  private static final long EPOLL_CREATE1 = Native.function("epoll_create1");
  private static final long EPOLL_CTL = Native.function("epoll_ctl");
  private static final long EPOLL_WAIT = Native.function("epoll_wait");

  private static final ReentrantLock BEGINNING = new ReentrantLock();
  private static volatile Optional<Mover> shared = Optional.empty();

  private final Fd epoll;
  private final EventFd requests;
  private final AtomicLong tokens = new AtomicLong(REQUESTS);
  private final ConcurrentHashMap<Long, Flow> flows = new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<Flow> asked = new ConcurrentLinkedQueue<>();
  private final Thread watch;
  private volatile boolean watched;
  private volatile Hand hand;

  private Mover(Fd epoll, EventFd requests) throws ErrnoException {
    this.epoll = epoll;
    this.requests = requests;
    control(ADD, requests.fd(), EPOLLIN, REQUESTS);
    hand = new Hand();
    Threads.startPlatform("mover", hand::run);
    watch = Threads.start("mover/watch", this::look);
  }

  /**
   * The mover of this process; its threads start with the first use.
   *
   * @throws ErrnoException EMFILE and the like; the next use tries again
   */
  static Mover shared() throws ErrnoException {
    if (shared.isPresent()) {
      return shared.get();
    }
    BEGINNING.lock();
    try {
      if (shared.isEmpty()) {
        shared = Optional.of(begun());
      }
      return shared.get();
    } finally {
      BEGINNING.unlock();
    }
  }

  private static Mover begun() throws ErrnoException {
    int number = ErrnoException.check("epoll_create1", Native.callInt(EPOLL_CREATE1, EPOLL_CLOEXEC, 0, 0, 0, 0, 0));
    var epoll = new Fd(number);
    Optional<EventFd> requests = Optional.empty();
    try {
      requests = Optional.of(EventFd.open());
      return new Mover(epoll, requests.get());
    } catch (ErrnoException | OutOfMemoryError e) { // no descriptor, no OS thread
      requests.ifPresent(EventFd::close);
      epoll.close();
      throw e;
    }
  }

  /** Makes a flow known; returns what its events are told by. */
  long add(Flow flow) {
    long token = tokens.incrementAndGet();
    flows.put(token, flow);
    return token;
  }

  void remove(long token) {
    flows.remove(token);
  }

  /** Begins to wait for bytes in {@code from}. */
  void watch(Fd from, long token) throws ErrnoException {
    control(ADD, from, EPOLLIN | EPOLLONESHOT, token);
  }

  /** Waits for them again. */
  void readable(Fd from, long token) throws ErrnoException {
    control(MODIFY, from, EPOLLIN | EPOLLONESHOT, token);
  }

  /** Waits for room in {@code to}, which epoll knows already or not. */
  void writable(Fd to, long token, boolean known) throws ErrnoException {
    control(known ? MODIFY : ADD, to, EPOLLOUT | EPOLLONESHOT, token);
  }

  /** Waits for nothing any more. A child may have the same file open for a moment, so a close does not see to it. */
  void forget(Fd fd) {
    Native.callInt(EPOLL_CTL, epoll.number(), DELETE, fd.number(), 0, 0, 0);
  }

  /** Has the mover give {@code flow} a turn, whatever that waits for. */
  void ask(Flow flow) {
    asked.add(flow);
    requests.signal();
  }

  private void control(int operation, Fd fd, int events, long token) throws ErrnoException {
    try (var arena = new Arena(EVENT_BYTES)) {
      long event = arena.bytes(EVENT_BYTES);
      Native.MEMORY.putInt(event, events);
      Native.MEMORY.putLong(event + DATA_OFFSET, token);
      ErrnoException.check("epoll_ctl", Native.callInt(EPOLL_CTL, epoll.number(), operation, fd.number(), event, 0, 0));
    }
  }

  /** One thread that moves. {@code turns} and {@code moving} are written by that alone. */
  private final class Hand {
    volatile long turns;
    volatile boolean moving;

    /** The story of the thread {@code mover}. */
    void run() {
      try (var arena = new Arena(EVENT_BYTES)) {
        moving = false;
        move(arena.bytes(EVENT_BYTES));
      }
    }

    private void move(long event) {
      while (hand == this) {
        int count = Native.callInt(EPOLL_WAIT, epoll.number(), event, 1, -1, 0, 0);
        if (count > 0) {
          begin();
          serve(Native.MEMORY.getLong(event + DATA_OFFSET));
          moving = false;
        } else if (count < 0 && count != -Errno.EINTR) {
          Log.error("mover stopped", "error", Errno.text(-count));
          return;
        }
      }
    }

    private void begin() {
      turns++;
      moving = true;
      if (!watched) {
        watched = true;
        LockSupport.unpark(watch);
      }
    }

    private void serve(long token) {
      if (token != REQUESTS) {
        Flow flow = flow(token);
        if (flow != null) {
          flow.turn();
        }
        return;
      }
      requests.clear();
      for (Flow flow = asked.poll(); flow != null; flow = asked.poll()) {
        flow.turn();
      }
    }
  }

  /** The key is an object, for which there may be no memory now. */
  private Flow flow(long token) {
    while (true) {
      try {
        return flows.get(token);
      } catch (OutOfMemoryError e) {
        LockSupport.parkNanos(SCARCE_PAUSE_NANOS);
      }
    }
  }

  /** The story of the thread {@code mover/watch}. */
  private void look() {
    while (true) {
      while (!watched) {
        LockSupport.park(this);
      }
      Hand now = hand;
      long turns = now.turns;
      LockSupport.parkNanos(LOOK_NANOS);
      if (turns != now.turns) {
        continue;
      }
      if (now.moving) {
        replace();
      } else {
        watched = false;
        if (turns != now.turns) {
          watched = true;
        }
      }
    }
  }

  /** Without threads to be had the new one looks stuck too, so that the next look tries again. */
  private void replace() {
    var next = new Hand();
    next.moving = true;
    hand = next;
    try {
      Threads.startPlatform("mover", next::run);
      Log.warn("a stream is stuck in the kernel, another thread moves the others");
      requests.signal(); // what the stuck one has not come to
    } catch (OutOfMemoryError e) {
      LockSupport.parkNanos(SCARCE_PAUSE_NANOS);
    }
  }
}
