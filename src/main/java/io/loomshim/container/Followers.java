package io.loomshim.container;

import io.loomshim.threads.Aside;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/**
 * Whether processes of a container may outlive its init, and have to be killed then. The bundle tells; it is read once,
 * before the end, so that the news of that need not wait for it. Any thread may ask.
 */
final class Followers {
  /** How long a look may take: the exit is not held back for a file system that does not answer. */
  static final Duration BUNDLE_WAIT_MAX = Duration.ofSeconds(2);

  private final Bundle bundle;
  private volatile Optional<Boolean> known = Optional.empty();

  Followers(Bundle bundle) {
    this.bundle = bundle;
  }

  /** Finds out, unless that is known. */
  void look() {
    if (known.isEmpty()) {
      known = Optional.of(killAllOnExit());
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
