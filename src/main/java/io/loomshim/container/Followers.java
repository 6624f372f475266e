package io.loomshim.container;

import io.loomshim.threads.Aside;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Whether processes of a container may outlive its init, and have to be killed then. The bundle tells; it is read once,
 * before the end, so that the news of that need not wait for it. Any thread may ask.
 */
final class Followers implements Runnable {
  /** How long a look may take: the exit is not held back for a file system that does not answer. */
  static final Duration BUNDLE_WAIT_MAX = Duration.ofSeconds(2);

  private final String id;
  private final Bundle bundle;
  private final ReentrantLock looking = new ReentrantLock(); // held while the bundle is read
  private volatile Optional<Boolean> known = Optional.empty();

  /** Of the container {@code id}. */
  Followers(String id, Bundle bundle) {
    this.id = id;
    this.bundle = bundle;
  }

  /** Has it found out by a thread of its own, and waits for nothing. */
  @Override
  public void run() {
    Threads.start("runc/bundle/" + id, new Runnable() {
      @Override
      public void run() {
        look();
      }
    });
  }

  /** Finds out, unless that is known, or waits for who does. */
  void look() {
    looking.lock();
    try {
      if (known.isEmpty()) {
        known = Optional.of(killAllOnExit());
      }
    } finally {
      looking.unlock();
    }
  }

  /** Whether there may be some; true if the bundle's file system does not tell soon. */
  boolean stay() {
    look();
    return known.orElseThrow();
  }

  private boolean killAllOnExit() {
    try {
      return Aside.run("read config.json in " + bundle.directory(), new Aside.Step<Boolean>() {
        @Override
        public Boolean run() {
          return bundle.killAllOnExit();
        }
      }, BUNDLE_WAIT_MAX);
    } catch (IOException | InterruptedException e) {
      return true;
    }
  }
}
