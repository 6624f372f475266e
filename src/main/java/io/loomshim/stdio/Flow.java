package io.loomshim.stdio;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.log.Log;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One stream on its way from a pipe or fifo to another, moved inside the kernel (splice(2)) by the thread of
 * {@link Mover}: nothing is copied, and one that is idle has neither a buffer nor a thread. Both ends are closed when
 * the source has ended, or the target has no reader any more.
 *
 * <p>Any thread may ask it to end. {@code lock} guards where it stands and is not held while bytes move.
 */
public final class Flow {
  /** At most this many bytes a turn: what a pipe holds by default. */
  private static final int BYTES_MAX = 64 * 1024;

  /** Between two tries while there is no memory. */
  private static final long SCARCE_PAUSE_NANOS = 1_000_000;

  private static final long WITHOUT_END = Long.MAX_VALUE;

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
  private final CountDownLatch turned = new CountDownLatch(1); // after the turn that was asked for
  private final ReentrantLock lock = new ReentrantLock();
  private State state = State.WAITING_FOR_BYTES;
  private boolean roomWatched; // whether epoll knows the target

  private volatile boolean stopped;
  private volatile boolean finishing;
  private volatile Runnable onEnd = Held::none;

  // Of the thread that has the turn.
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

  /** From now on {@code action} is run once both ends have been closed; at once if they have. */
  void onEnd(Runnable action) {
    onEnd = action;
    if (ended.getCount() == 0) {
      action.run();
    }
  }

  /** Both ends, under {@code name}; nothing once they are closed. */
  List<Held> held(String name) {
    return from.closed() || to.closed() ? List.of()
        : List.of(new Held(name + Held.FROM, from), new Held(name + Held.TO, to));
  }

  /** Gives up what the source still holds, soon. */
  public void stop() {
    stopped = true;
    mover.ask(this);
  }

  /** Ends the flow once what the source holds now has been moved, even if processes may still write to it. */
  public void finish() {
    finishing = true;
    mover.ask(this);
  }

  /** Asks for a turn now, once in the life of a flow. */
  void askForTurn() {
    if (ended.getCount() > 0) {
      mover.ask(this);
    }
  }

  /** Waits until that turn is over, or both ends are closed, or the deadline has passed. */
  void awaitTurn(Deadline deadline) throws InterruptedException {
    if (ended.getCount() > 0) {
      turned.await(deadline.nanosLeft(), TimeUnit.NANOSECONDS);
    }
  }

  /** One turn that was asked for, by a thread of the mover. */
  void turnAsAsked() {
    turn();
    turned.countDown();
  }

  /** Waits until both ends are closed; false when the deadline passed first. */
  public boolean awaitEnd(Deadline deadline) throws InterruptedException {
    return ended.await(deadline.nanosLeft(), TimeUnit.NANOSECONDS);
  }

  /** One turn, by a thread of the mover: what this waits for has happened, or it has been asked to end. */
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
      if (next != State.ENDED && finishing && left == WITHOUT_END) {
        mover.ask(this); // it was told while this thread was stuck, and another one left it alone
      }
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
      left = from.held();
    }
    if (left == 0) {
      return State.ENDED;
    }
    long moved = from.splice(to, Math.min(BYTES_MAX, left));
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

  private void close() {
    mover.forget(from);
    if (roomWatched) {
      mover.forget(to);
    }
    mover.remove(token);
    from.close();
    to.close();
    ended.countDown();
    onEnd.run();
  }
}
