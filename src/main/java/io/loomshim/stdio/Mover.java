package io.loomshim.stdio;

import io.loomshim.linux.Epoll;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.EventFd;
import io.loomshim.linux.Fd;
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
 * timeout while nothing flows, and spins for a moment while events follow one another closely. It is a registry of the
 * process: one thread for all streams.
 *
 * <p>A splice waits for no bytes and no room, but it may wait in the kernel for another process that is in the middle
 * of a write to the same pipe and whose memory does not come. So while bytes move, the virtual thread
 * {@code mover/watch} looks after the mover, and when that has been in one call for too long another thread takes its
 * place; it ends when it comes back. Each event is taken singly and once (EPOLLONESHOT), so that nothing is lost with
 * one that is stuck.
 */
final class Mover {
  /** The token of the descriptor that wakes the mover for requests. */
  private static final long REQUESTS = 0;

  /** Between two looks after the mover, which is stuck when it is in the same call at both. */
  private static final long LOOK_NANOS = 100_000_000;

  /**
   * How long it looks for the next event before it sleeps, while events come as fast as that. To be woken takes about
   * as long. With one processor it would only keep away those it waits for.
   */
  private static final long SPIN_NANOS = Runtime.getRuntime().availableProcessors() > 1 ? 30_000 : 0;

  /** Between two tries while there is no memory. */
  private static final long SCARCE_PAUSE_NANOS = 1_000_000;

  private static final ReentrantLock BEGINNING = new ReentrantLock();
  private static volatile Optional<Mover> shared = Optional.empty();

  private final Epoll epoll;
  private final EventFd requests;
  private final AtomicLong tokens = new AtomicLong(REQUESTS);
  private final ConcurrentHashMap<Long, Flow> flows = new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<Flow> asked = new ConcurrentLinkedQueue<>();
  private final Thread watch;
  private volatile boolean watched;
  private volatile Hand hand;

  private Mover(Epoll epoll, EventFd requests) throws ErrnoException {
    this.epoll = epoll;
    this.requests = requests;
    epoll.add(requests.fd(), Epoll.READABLE, REQUESTS);
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
    Epoll epoll = Epoll.open();
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
    epoll.add(from, Epoll.READABLE | Epoll.ONESHOT, token);
  }

  /** Waits for them again. */
  void readable(Fd from, long token) throws ErrnoException {
    epoll.modify(from, Epoll.READABLE | Epoll.ONESHOT, token);
  }

  /** Waits for room in {@code to}, which epoll knows already or not. */
  void writable(Fd to, long token, boolean known) throws ErrnoException {
    int events = Epoll.WRITABLE | Epoll.ONESHOT;
    if (known) {
      epoll.modify(to, events, token);
    } else {
      epoll.add(to, events, token);
    }
  }

  /** Waits for nothing any more. */
  void forget(Fd fd) {
    epoll.remove(fd);
  }

  /** Has the mover give {@code flow} a turn, whatever that waits for. */
  void ask(Flow flow) {
    asked.add(flow);
    requests.signal();
  }

  /** One thread that moves. {@code turns} and {@code moving} are written by that alone. */
  private final class Hand {
    volatile long turns;
    volatile boolean moving;
    private boolean brisk; // the last event came within SPIN_NANOS

    /** What the thread {@code mover} does. */
    void run() {
      try (var event = new Epoll.Events(1)) {
        moving = false;
        move(event);
      } catch (ErrnoException e) {
        Log.error("mover stopped", "error", e.reason());
      }
    }

    private void move(Epoll.Events event) throws ErrnoException {
      while (hand == this) {
        if (await(event) > 0) {
          begin();
          serve(event.token(0));
          moving = false;
        }
      }
    }

    private int await(Epoll.Events event) throws ErrnoException {
      long from = System.nanoTime();
      int count = 0;
      while (brisk && count == 0 && System.nanoTime() - from < SPIN_NANOS) {
        count = epoll.poll(event);
      }
      if (count == 0) {
        count = epoll.await(event);
      }
      brisk = System.nanoTime() - from < SPIN_NANOS;
      return count;
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
        flow.turnAsAsked();
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

  /** What the thread {@code mover/watch} does. */
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
      Log.warn("a stream is stuck in the kernel; another thread serves the others");
      requests.signal(); // what the stuck one has not come to
    } catch (OutOfMemoryError e) {
      LockSupport.parkNanos(SCARCE_PAUSE_NANOS);
    }
  }
}
