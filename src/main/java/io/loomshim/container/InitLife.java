package io.loomshim.container;

import io.loomshim.container.InitState.Operation;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Where an init process is in its life, and the two locks that order what happens to it ({@link InitProcess}). The
 * state changes with {@code order} held, but for the deletion; any thread may read it.
 */
final class InitLife {
  /** A wait status tells signals from here on, as runc and the shells have it. */
  private static final int SIGNALLED = 128;

  private final ReentrantLock operations = new ReentrantLock();
  private final ReentrantLock order = new ReentrantLock();
  private final Frozen frozen;
  private final TaskEvents events;
  private volatile InitState state;
  private boolean perhapsLetGo; // as the next, of order
  private boolean starting;
  private Optional<Operation> unheard = Optional.empty(); // done, but its caller was told a failure; of operations

  InitLife(InitState state, Frozen frozen, TaskEvents events) {
    this.state = state;
    this.frozen = frozen;
    this.events = events;
  }

  ReentrantLock operations() {
    return operations;
  }

  ReentrantLock order() {
    return order;
  }

  /** What it is as far as our own commands and its end decide. */
  InitState state() {
    return state;
  }

  /** The same, given that others may have frozen the container or let it run. */
  InitState look() {
    return state.seen(frozen.lasting());
  }

  /**
   * The same, but while a command of ours is under way its outcome decides, as commands may freeze a container for a
   * moment.
   */
  InitState seen() {
    InitState own = state;
    boolean busy = operations.isLocked() && !operations.isHeldByCurrentThread();
    InitState seen = busy ? own : own.seen(frozen.lasting());
    return state == own ? seen : state; // it may have ended during the look
  }

  /** Takes over what others have done to the container; call only when holding {@code operations}. */
  void adopt() {
    InitState seen = seen();
    if (seen == InitState.PAUSED) {
      moved(InitState.RUNNING, InitState.PAUSED);
    } else if (seen == InitState.RUNNING) {
      moved(InitState.PAUSED, InitState.RUNNING);
    }
  }

  /** Call only when holding {@code order}. */
  void become(InitState next) {
    assert order.isHeldByCurrentThread();
    state = next;
  }

  /** Goes on from a state that an earlier daemon has recorded; before any other use. */
  void resume(InitState recorded) {
    state = recorded;
  }

  /**
   * An earlier daemon may have let the created init go, and not have written it down; before any other use.
   *
   * @param starting whether a Start was under way, which is answered as done for one that has ended by now
   */
  void perhapsLetGo(boolean starting) {
    perhapsLetGo = true;
    this.starting = starting;
  }

  /** Whatever an earlier daemon had begun, this Start tells what comes of it; holding {@code order}. */
  void beginStart() {
    assert order.isHeldByCurrentThread();
    seen().check(Operation.START);
    starting = false;
  }

  /**
   * An init that ends by itself had been let go, so its start is told first. One that a signal has ended may have been,
   * if it was being started: then that is told as its Start is answered. Call only when holding {@code order}.
   */
  void settle(int pid, int status) {
    if (perhapsLetGo && state == InitState.CREATED && (starting || status < SIGNALLED)) {
      events.started(pid, new Running(this));
    }
  }

  /** The process has ended; call only when holding {@code order}. */
  void end() {
    become(state == InitState.DELETED ? state : InitState.STOPPED);
  }

  /** The container is no more. */
  void removed() {
    state = InitState.DELETED;
  }

  /** Changes the state unless the process has ended meanwhile. */
  boolean moved(InitState from, InitState to) {
    order.lock();
    try {
      boolean expected = state == from;
      state = expected ? to : state;
      return expected;
    } finally {
      order.unlock();
    }
  }

  /** What the processes are after a command that has failed is what State says. */
  void found(boolean still) {
    if (still && moved(InitState.RUNNING, InitState.PAUSED)) {
      events.paused();
      unheard = Optional.of(Operation.PAUSE);
    } else if (!still && moved(InitState.PAUSED, InitState.RUNNING)) {
      events.resumed();
      unheard = Optional.of(Operation.RESUME);
    }
  }

  /** {@code operation} has done its work, but its caller will be told a failure. */
  void unheard(Operation operation) {
    unheard = Optional.of(operation);
  }

  /** Whether this call repeats one that has done its work, though its caller was told a failure. */
  boolean doneBefore(Operation operation) {
    assert operations.isHeldByCurrentThread();
    boolean done = unheard.isPresent() && unheard.get() == operation;
    unheard = Optional.empty();
    return done;
  }
}
