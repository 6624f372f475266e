package io.loomshim.daemon;

import io.loomshim.insight.Shortages;
import io.loomshim.linux.Inotify;
import io.loomshim.log.Log;
import io.loomshim.task.TaskService;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Gives up the containers that a {@code delete} has removed behind the daemon's back, which it marks in the run
 * directory. One thread, {@code removed}, waits for these marks by inotify. Where there is no instance or no watch left
 * for that, it looks every {@link #LOOK_EVERY} while there are containers, and asks for an instance again each time.
 *
 * <p>{@code lock} orders removals against creations.
 */
final class Removals {
  /** Slow: what is looked for is a container whose bundle is gone already. */
  static final Duration LOOK_EVERY = Duration.ofSeconds(5);

  private static final String WATCH = "inotify watch";

  private final RunDirectory directory;
  private final TaskService tasks;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition coming = lock.newCondition();

  Removals(RunDirectory directory, TaskService tasks) {
    this.directory = directory;
    this.tasks = tasks;
  }

  /** Begins to look; call it once. */
  void start() {
    Threads.start("removed", this::run);
  }

  /** A container is being created. */
  void coming() {
    lock.lock();
    try {
      coming.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Gives up the container {@code id} if a {@code delete} has removed it and nobody has acted on that yet. */
  void look(String id) {
    lock.lock();
    try {
      if (directory.takeRemoved(id)) {
        tasks.abandon(id);
      }
    } finally {
      lock.unlock();
    }
  }

  /** The story of the thread. */
  private void run() {
    try {
      while (true) {
        try (Inotify inotify = Inotify.open()) {
          watch(inotify);
        } catch (IOException e) {
          Shortages.begin(WATCH, "containers that were removed by others are looked for every "
              + LOOK_EVERY.toSeconds() + " s", e);
        }
        awaitContainers();
        Thread.sleep(LOOK_EVERY);
        lookAtAll();
      }
    } catch (InterruptedException e) {
      Log.error("removals are not watched any more", "error", "interrupted");
    }
  }

  private void watch(Inotify inotify) throws IOException, InterruptedException {
    inotify.watch(directory.removed(), Inotify.CREATE | Inotify.MOVED_TO);
    Shortages.end(WATCH);
    lookAtAll(); // at what came before
    while (true) {
      for (Inotify.Event event : inotify.take()) {
        if ((event.mask() & Inotify.IGNORED) != 0) {
          throw new IOException(directory.removed() + " has been removed");
        }
        if ((event.mask() & Inotify.OVERFLOW) != 0) {
          lookAtAll(); // nobody knows what the kernel has dropped
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

  /** While there is none, nobody is to be woken. */
  private void awaitContainers() throws InterruptedException {
    lock.lock();
    try {
      while (tasks.idle()) {
        coming.await();
      }
    } finally {
      lock.unlock();
    }
  }
}
