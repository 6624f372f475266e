package io.loomshim.process;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.ThreadCalls;
import io.loomshim.threads.Threads;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * A platform thread with a table of descriptors of its own, which is almost empty: a child starts with a copy of its
 * parent's table, and to copy and close the thousands of a daemon takes longer than all the rest of a start. What a
 * child is to have is fetched when it is needed ({@link ThreadCalls}).
 *
 * <p>Nothing that uses a descriptor of the JVM works on it, loading a class from a jar for one: the number means
 * nothing there, or another file. So it runs {@link Spawner#posixSpawn} alone, all of which it has run once before it
 * leaves the others' table. It never ends: a child may have asked to be told of the end of the thread that has started
 * it (prctl(2), PR_SET_PDEATHSIG).
 *
 * <p>Used by one caller at a time, who waits.
 */
final class SpawnThread {
  /** The table cannot be had, or what is in it cannot be fetched: the caller must start the program itself. */
  static final class Unable extends Exception {
    private static final long serialVersionUID = 1;

    Unable(String what) {
      super(what, null, false, false);
    }
  }

  /** One start. Written by the caller before {@code request} is, and by the thread before {@code done} is. */
  private static final class Request {
    private final Spawn spawn;
    private final int[] sources;
    private final Thread caller = Thread.currentThread();
    private int pid;
    private Optional<Throwable> failure = Optional.empty();
    private volatile boolean done;

    private Request(Spawn spawn, int... sources) {
      this.spawn = spawn;
      this.sources = sources;
    }
  }

  /** Starts nothing; fails while the thread still has the descriptors that are needed to load what that takes. */
  private static final Spawn REHEARSAL =
      new Spawn(List.of("/proc/self/none"), List.of("A=a"), Path.of("/"), List.of());

  /** What the thread runs. */
  private final class Loop implements Runnable {
    @Override
    public void run() {
      Request ready = request.orElseThrow();
      request = Optional.empty();
      int self;
      try {
        rehearse(ready);
        self = leave();
        finish(ready);
      } catch (Throwable e) { // it has started nothing and may end
        finish(ready, e);
        return;
      }
      while (true) {
        if (request.isPresent()) {
          serve(request.get(), self);
        } else {
          LockSupport.park();
        }
      }
    }
  }

  private volatile Optional<Request> request;
  private final Thread thread;

  private SpawnThread(Request ready) {
    request = Optional.of(ready);
    thread = Threads.startPlatform("spawner", new Loop());
  }

  /**
   * Makes a thread.
   *
   * @throws Unable where the kernel does not let us have it
   */
  static SpawnThread make() throws ErrnoException, Unable {
    var ready = new Request(REHEARSAL, 0);
    var thread = new SpawnThread(ready);
    await(ready);
    return thread;
  }

  /**
   * Starts a program; {@code sources} are the descriptors of this process that become the child's.
   *
   * @return its pid; it has not been claimed yet
   * @throws Unable when a descriptor could not be fetched; nothing has been started
   */
  int start(Spawn spawn, int[] sources) throws ErrnoException, Unable {
    var next = new Request(spawn, sources);
    request = Optional.of(next);
    LockSupport.unpark(thread);
    return await(next);
  }

  /** An interrupt stays pending: without its pid the child could not be awaited. */
  private static int await(Request request) throws ErrnoException, Unable {
    boolean interrupted = false;
    while (!request.done) {
      LockSupport.park(request);
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (request.failure.isEmpty()) {
      return request.pid;
    }
    switch (request.failure.get()) {
      case ErrnoException e -> throw e;
      case Unable e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(request.failure.get());
    }
  }

  /** Loads all the classes that {@link #serve} needs, while loading still works. */
  private static void rehearse(Request ready) {
    try {
      Spawner.posixSpawn(ready.spawn, ready.sources);
    } catch (ErrnoException e) {
      // as it should: there is no such program
    }
    try {
      ThreadCalls.close(fetch(-1, 0));
    } catch (Unable e) {
      // as it should
    }
    ThreadCalls.close(-1);
    LockSupport.parkNanos(1);
  }

  /** The descriptor by which things are fetched from now on. */
  private static int leave() throws Unable {
    try {
      return ThreadCalls.leaveTable();
    } catch (ErrnoException e) {
      throw new Unable(e.getMessage());
    }
  }

  private static int fetch(int self, int source) throws Unable {
    try {
      return ThreadCalls.fetch(self, source);
    } catch (ErrnoException e) {
      throw new Unable(e.getMessage());
    }
  }

  private void serve(Request now, int self) {
    request = Optional.empty();
    try {
      now.pid = start(now, self);
      finish(now);
    } catch (Throwable e) {
      finish(now, e);
    }
  }

  private static int start(Request now, int self) throws ErrnoException, Unable {
    int[] fetched = new int[now.sources.length];
    int count = 0;
    try {
      for (int source : now.sources) {
        fetched[count] = fetch(self, source);
        count++;
      }
      return Spawner.posixSpawn(now.spawn, fetched);
    } finally {
      for (int i = 0; i < count; i++) {
        ThreadCalls.close(fetched[i]);
      }
    }
  }

  private static void finish(Request request, Throwable failure) {
    request.failure = Optional.of(failure);
    finish(request);
  }

  private static void finish(Request request) {
    request.done = true;
    LockSupport.unpark(request.caller);
  }
}
