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
 * virtual thread, {@code oom}, which starts with the first container. {@code LOCK} guards which instance it is.
 */
final class MemoryEventsWatch {
  private static final ReentrantLock LOCK = new ReentrantLock();
  private static Optional<MemoryEventsWatch> shared = Optional.empty();

  private final Inotify inotify;
  private final ConcurrentHashMap<Integer, OomWatch> watches = new ConcurrentHashMap<>();

  private MemoryEventsWatch(Inotify inotify) {
    this.inotify = inotify;
  }

  /** Watches the file in {@code directory} for {@code watch}; the result ends that. */
  static AutoCloseable add(Path directory, OomWatch watch) throws IOException {
    MemoryEventsWatch all = shared();
    int number = all.inotify.watch(directory.resolve("memory.events"), Inotify.MODIFY);
    all.watches.put(number, watch);
    // the kernel's own watch ends with the cgroup
    return () -> all.watches.remove(number, watch);
  }

  /** When there is no room for an instance, the next container tries again. */
  private static MemoryEventsWatch shared() throws IOException {
    LOCK.lock();
    try {
      if (shared.isEmpty()) {
        var first = new MemoryEventsWatch(Inotify.open());
        Threads.start("oom", first::run);
        shared = Optional.of(first);
      }
      return shared.get();
    } finally {
      LOCK.unlock();
    }
  }

  private void run() {
    try {
      while (true) {
        for (Inotify.Event event : inotify.take()) {
          handle(event);
        }
      }
    } catch (IOException | InterruptedException e) {
      Log.error("memory events are not watched any more", "error", String.valueOf(e.getMessage()));
    }
  }

  private void handle(Inotify.Event event) {
    if ((event.mask() & Inotify.OVERFLOW) != 0) {
      // nobody knows whose events the kernel has dropped
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
      watches.remove(event.watch());
    }
  }

  /** On a thread of its own, as it may have to wait for that container. */
  private static void look(OomWatch watch) {
    Threads.start("oom/" + watch.id(), watch::check);
  }
}
