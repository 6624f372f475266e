package io.loomshim.linux;

import io.loomshim.log.Log;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One stream on its way from a pipe or fifo to another, moved inside the kernel (splice(2)) by the thread of
 * {@link Mover}: nothing is copied, and one that is idle has neither a buffer nor a thread. Both ends are closed when
 * the source has ended, or nobody can read the target any more.
 *
 * <p>Any thread may ask it to end. {@code lock} guards where it stands and is not held while bytes move.
 */
public final class Flow {
  /** At most this many bytes a turn: what a pipe holds by default. */
  private static final int BYTES_MAX = 64 * 1024;

  private static final int MOVE_NONBLOCK = 1 | 2;
  private static final int FIONREAD = 0x541B;

  /** Between two tries while there is no memory. */
  private static final long SCARCE_PAUSE_NANOS = 1_000_000;

  private static final long WITHOUT_END = Long.MAX_VALUE;

  private static final long SPLICE = Native.function("splice");
  private static final long IOCTL = Native.function("ioctl");

  /** Where a flow stands between two turns; MOVING while the mover has it. */
  private enum State {
    WAITING_FOR_BYTES,
    WAITING_FOR_ROOM,
    MOVING,
    ENDED
  }

  private final String name;
  private final Fd from;
  private final Fd to;
  private final long token;
  private final Mover mover;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final ReentrantLock lock = new ReentrantLock();
  private State state = State.WAITING_FOR_BYTES;
  private boolean roomWatched; // whether epoll knows the target

  private volatile boolean stopped;
  private volatile boolean finishing;

  // Of whoever has the turn.
  private long left = WITHOUT_END; // how many bytes are still to be moved

  private Flow(String name, Fd from, Fd to, Mover mover) {
    this.name = name;
    this.from = from;
    this.to = to;
    this.mover = mover;
    this.token = mover.add(this);
  }

  /**
   * Makes the threads that move, so that they are there when there is no room for threads any more; each start does so
   * too.
   */
  public static void prepare() throws ErrnoException {
    Mover.shared();
  }

  /**
   * Begins to move.
   *
   * @param name for the log
   * @param from a reading end, non-blocking; this takes ownership of it, also when it fails
   * @param to a writing end, likewise
   */
  public static Flow start(String name, Fd from, Fd to) throws ErrnoException {
    Optional<Flow> made = Optional.empty();
    try {
      var flow = new Flow(name, from, to, Mover.shared());
      made = Optional.of(flow);
      flow.mover.watch(from, flow.token);
      return flow;
    } catch (ErrnoException | OutOfMemoryError e) {
      made.ifPresent(flow -> flow.mover.remove(flow.token));
      from.close();
      to.close();
      throw e;
    }
  }

  /** Gives up what the source still holds, soon. */
  public void stop() {
    stopped = true;
    mover.ask(this);
  }

  /** Ends the flow once what the source holds now has been moved, whoever may still write to it. */
  public void finish() {
    finishing = true;
    mover.ask(this);
  }

  /** Waits until both ends are closed; false when the deadline passed first. */
  public boolean awaitEnd(Deadline deadline) throws InterruptedException {
    return ended.await(deadline.nanosLeft(), TimeUnit.NANOSECONDS);
  }

  /** One turn, by a thread of the mover: something has happened that this waits for, or somebody has asked. */
  void turn() {
    State before = take();
    if (before == State.MOVING || before == State.ENDED) {
      return;
    }
    boolean moved = false;
    State after = before;
    while (true) {
      try {
        after = moved ? after : stopped ? State.ENDED : move(before);
        moved = true;
        putBack(after);
        return;
      } catch (OutOfMemoryError e) {
        LockSupport.parkNanos(SCARCE_PAUSE_NANOS);
      }
    }
  }

  private State move(State before) {
    try {
      return step(before);
    } catch (ErrnoException e) {
      if (e.errno() != Errno.EPIPE) { // else the process has closed its stdin
        Log.warn("error copying", "stream", name, "error", String.valueOf(e.getMessage()));
      }
      return State.ENDED;
    }
  }

  private State take() {
    lock.lock();
    try {
      State before = state;
      state = before == State.ENDED ? before : State.MOVING;
      return before;
    } finally {
      lock.unlock();
    }
  }

  /** Can be repeated after an OutOfMemoryError. */
  private void putBack(State after) {
    State next = after;
    lock.lock();
    try {
      if (stopped || state == State.ENDED) {
        next = State.ENDED;
      }
      if (next != State.ENDED) {
        await(next);
      }
      state = next;
    } catch (ErrnoException e) {
      Log.warn("error copying", "stream", name, "error", String.valueOf(e.getMessage()));
      next = State.ENDED;
      state = next;
    } finally {
      lock.unlock();
    }
    if (next == State.ENDED) {
      close();
    }
  }

  private void await(State next) throws ErrnoException {
    if (next == State.WAITING_FOR_BYTES) {
      mover.readable(from, token);
    } else {
      mover.writable(to, token, roomWatched);
      roomWatched = true;
    }
  }

  /** Moves once, and tells what to wait for next. */
  private State step(State before) throws ErrnoException {
    if (finishing && left == WITHOUT_END) {
      left = held();
    }
    if (left == 0) {
      return State.ENDED;
    }
    long most = Math.min(BYTES_MAX, left);
    long moved = Native.callLong(SPLICE, from.number(), 0, to.number(), 0, most, MOVE_NONBLOCK);
    if (moved == -Errno.EAGAIN) {
      // it is not told which end was not ready; the other one would wake this at once
      return before == State.WAITING_FOR_BYTES ? State.WAITING_FOR_ROOM : State.WAITING_FOR_BYTES;
    }
    if (moved < 0 && moved != -Errno.EINTR) {
      throw new ErrnoException("splice", (int) -moved);
    }
    if (left != WITHOUT_END) {
      left -= Math.max(0, moved);
    }
    return moved == 0 || left == 0 ? State.ENDED : State.WAITING_FOR_BYTES;
  }

  /** The bytes that are in the source. */
  private long held() throws ErrnoException {
    try (var arena = new Arena(Integer.BYTES)) {
      long address = arena.bytes(Integer.BYTES);
      ErrnoException.check("ioctl", Native.callInt(IOCTL, from.number(), FIONREAD, address, 0, 0, 0));
      return Native.MEMORY.getInt(address);
    }
  }

  private void close() {
    mover.forget(from);
    if (roomWatched) {
      mover.forget(to);
    }
    mover.remove(token);
    from.close();
    to.close();
    ended.countDown();
  }
}
