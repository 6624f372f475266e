package io.loomshim.cgroup;

import io.loomshim.linux.Inotify;
import io.loomshim.log.Log;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Wakes the {@link OomWatch}es of all containers on cgroup v2: the kernel signals a change of {@code memory.events} as
 * a modification of the file. One inotify instance for all, as a user has 128 of them at most by default, and one
 * virtual thread, {@code oom}; both start with the first container and end with the last. Which instance it is stands
 * in a registry of the process; {@code LOCK} guards that, and that a closed one is not used.
 */
final class MemoryEventsWatch {
  private static final ReentrantLock LOCK = new ReentrantLock();
  private static Optional<MemoryEventsWatch> shared = Optional.empty();

  private final Inotify inotify;
  private final ConcurrentHashMap<Integer, OomWatch> watches = new ConcurrentHashMap<>();

  private Thread thread; // guarded by LOCK

  private MemoryEventsWatch(Inotify inotify) {
    this.inotify = inotify;
  }

  /** Watches the file in {@code directory} for {@code watch}; the result ends that. */
  static AutoCloseable add(Path directory, OomWatch watch) throws IOException {
    LOCK.lock();
    try {
      MemoryEventsWatch all = shared();
      try {
        int number = all.inotify.watch(directory.resolve("memory.events"), Inotify.MODIFY);
        all.watches.put(number, watch);
        return () -> all.remove(number);
      } finally {
        all.endIfIdle();
      }
    } finally {
      LOCK.unlock();
    }
  }

  /** When there is no room for an instance, the next container tries again. Call only when holding the lock. */
  private static MemoryEventsWatch shared() throws IOException {
    assert LOCK.isHeldByCurrentThread();
    if (shared.isEmpty()) {
      var first = new MemoryEventsWatch(Inotify.open());
      first.thread = Threads.start("oom", first::run);
      shared = Optional.of(first);
    }
    return shared.get();
  }

  /** The kernel's own watch has to be ended too: it outlives the cgroup, as long as the instance does. */
  private void remove(int number) throws IOException {
    LOCK.lock();
    try {
      if (watches.remove(number) != null && current()) {
        inotify.unwatch(number);
        endIfIdle();
      }
    } finally {
      LOCK.unlock();
    }
  }

  /** Call only when holding the lock. */
  private void endIfIdle() {
    assert LOCK.isHeldByCurrentThread();
    if (watches.isEmpty() && current()) {
      shared = Optional.empty();
      thread.interrupt();
    }
  }

  /** Whether this is the instance in use, which is open then. Call only when holding the lock. */
  private boolean current() {
    assert LOCK.isHeldByCurrentThread();
    return shared.isPresent() && shared.get() == this;
  }

  private void run() {
    try {
      while (true) {
        for (Inotify.Event event : inotify.take()) {
          handle(event);
        }
      }
    } catch (InterruptedException e) {
      // the last watch has ended
    } catch (IOException e) {
      Log.error("no longer watching for OOM kills", "error", String.valueOf(e.getMessage()));
    } finally {
      end();
    }
  }

  /** What is closed is not joined: after a failure, the next container begins anew. */
  private void end() {
    LOCK.lock();
    try {
      shared = current() ? Optional.empty() : shared;
      inotify.close();
    } finally {
      LOCK.unlock();
    }
  }

  private void handle(Inotify.Event event) throws IOException {
    if ((event.mask() & Inotify.OVERFLOW) != 0) {
      // it is not told whose events the kernel has dropped
      for (OomWatch watch : watches.values()) {
        look(watch);
      }
      return;
    }
    OomWatch watch = watches.get(event.watch());
    if (watch != null) {
      look(watch);
    }
    if ((event.mask() & Inotify.IGNORED) != 0) {
      remove(event.watch());
    }
  }

  /** On a thread of its own, as it may have to wait for that container. */
  private static void look(OomWatch watch) {
    Threads.start("oom/" + watch.id(), watch::check);
  }
}
