package io.loomshim.cgroup;

import io.loomshim.linux.Inotify;
import io.loomshim.log.Log;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Wakes the {@link OomWatch}es of all containers on cgroup v2: the kernel signals a change of {@code memory.events} as
 * a modification of the file. One inotify instance for all, as a user has 128 of them at most by default, and one
 * virtual thread, {@code oom}, which starts with the first container.
 */
final class MemoryEventsWatch {
  private static final class Holder {
    static final MemoryEventsWatch SHARED = open();

    private static MemoryEventsWatch open() {
      try {
        return new MemoryEventsWatch(Inotify.open());
      } catch (IOException e) {
        throw new IllegalStateException("no inotify instance left: " + e.getMessage(), e);
      }
    }
  }

  private final Inotify inotify;
  private final ConcurrentHashMap<Integer, OomWatch> watches = new ConcurrentHashMap<>();

  private MemoryEventsWatch(Inotify inotify) {
    this.inotify = inotify;
    Threads.start("oom", this::run);
  }

  /** Watches the cgroup's file for {@code watch}; the result ends that. */
  static AutoCloseable add(Cgroup cgroup, OomWatch watch) throws IOException {
    MemoryEventsWatch shared;
    try {
      shared = Holder.SHARED;
    } catch (ExceptionInInitializerError | NoClassDefFoundError e) {
      throw new IOException("memory events cannot be watched", e);
    }
    var file = cgroup.directories().get(Cgroup.UNIFIED).resolve("memory.events");
    int number = shared.inotify.watch(file, Inotify.MODIFY);
    shared.watches.put(number, watch);
    // the kernel's own watch ends with the cgroup
    return () -> shared.watches.remove(number, watch);
  }

  private void run() {
    try {
      while (true) {
        for (Inotify.Event event : inotify.take()) {
          OomWatch watch = watches.get(event.watch());
          if (watch != null) {
            Threads.start("oom/" + watch.id(), watch::check); // which may have to wait for that container
          }
          if ((event.mask() & Inotify.IGNORED) != 0) {
            watches.remove(event.watch());
          }
        }
      }
    } catch (IOException | InterruptedException e) {
      Log.error("memory events are not watched any more", "error", String.valueOf(e.getMessage()));
    }
  }
}
