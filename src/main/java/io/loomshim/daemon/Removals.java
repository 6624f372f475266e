package io.loomshim.daemon;

import io.loomshim.container.Containers;
import io.loomshim.linux.Inotify;
import io.loomshim.log.Log;
import io.loomshim.metrics.Shortages;
import io.loomshim.rundir.RunDirectory;
import io.loomshim.task.DaemonHooks;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Gives up containers that the launcher's {@code delete} has removed itself. The launcher leaves a mark for each in the
 * run directory. One thread, {@code removed}, waits for these marks by inotify. When the system has no inotify instance
 * or watch left, the thread looks every {@link #LOOK_EVERY} while there are containers, and tries inotify again each
 * time.
 *
 * <p>{@code lock} orders removals against creations.
 */
final class Removals {
  /** Rare is enough: the bundle of such a container is gone already. */
  static final Duration LOOK_EVERY = Duration.ofSeconds(5);

  private static final String WATCH = "inotify watch";

  private final RunDirectory directory;
  private final Containers containers;
  private final DaemonHooks daemon;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition coming = lock.newCondition();

  Removals(RunDirectory directory, Containers containers, DaemonHooks daemon) {
    this.directory = directory;
    this.containers = containers;
    this.daemon = daemon;
  }

  /** Begins to look; call it once. */
  void start() {
    Threads.start("removed", this::run);
  }

  /** Notes that a container is being created. */
  void coming() {
    lock.lock();
    try {
      coming.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Gives up the container {@code id} if there is a mark for it, and removes the mark. */
  void look(String id) {
    lock.lock();
    try {
      if (directory.takeRemoved(id) && containers.abandon(id)) {
        daemon.gone(id);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Runs on the thread {@code removed} for as long as the daemon lives. */
  private void run() {
    try {
      while (true) {
        try (Inotify inotify = Inotify.open()) {
          watch(inotify);
        } catch (IOException e) {
          Shortages.begin(WATCH, "looking for removed containers every "
              + LOOK_EVERY.toSeconds() + " s", e);
        }
        awaitContainers();
        Thread.sleep(LOOK_EVERY);
        lookAtAll();
      }
    } catch (InterruptedException e) {
      Log.error("no longer watching for removed containers", "error", "interrupted");
    }
  }

  private void watch(Inotify inotify) throws IOException, InterruptedException {
    inotify.watch(directory.removed(), Inotify.CREATE | Inotify.MOVED_TO);
    Shortages.end(WATCH);
    lookAtAll(); // marks that came before the watch
    while (true) {
      for (Inotify.Event event : inotify.take()) {
        if ((event.mask() & Inotify.IGNORED) != 0) {
          throw new IOException(directory.removed() + " has been removed");
        }
        if ((event.mask() & Inotify.OVERFLOW) != 0) {
          lookAtAll(); // the kernel does not tell which events it has dropped
        } else {
          look(event.name());
        }
      }
    }
  }

  private void lookAtAll() {
    String[] names = directory.removed().toFile().list();
    for (String name : names == null ? new String[0] : names) {
      look(name);
    }
  }

  /** Waits until there is a container, without a timer. */
  private void awaitContainers() throws InterruptedException {
    lock.lock();
    try {
      while (containers.empty()) {
        coming.await();
      }
    } finally {
      lock.unlock();
    }
  }
}
