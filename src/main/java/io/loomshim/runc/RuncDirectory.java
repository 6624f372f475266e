package io.loomshim.runc;

import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The directory in which runc, or crun, keeps the state of one container. Only looks at what is there; may be called
 * from any thread.
 *
 * @param path the directory, which exists as long as the runtime has the container
 */
record RuncDirectory(Path path) {
  private static final Duration LOOK_WAIT_MAX = Duration.ofSeconds(2);

  /** Whether it is there; true, too, if its file system cannot tell. */
  boolean exists() throws InterruptedException {
    try {
      return Aside.run("stat " + path, new Looking(path, Optional.empty()));
    } catch (IOException e) {
      return true;
    }
  }

  /**
   * Whether the init waits for its start: runc and crun have a fifo here until then. It tells nothing of other
   * runtimes, which have none.
   */
  boolean waitsForStart() throws InterruptedException {
    return look(new Looking(fifo(), Optional.empty()));
  }

  /** Whether one that waited does so no more, but is there. */
  boolean startedMeanwhile() throws InterruptedException {
    return look(new Looking(path, Optional.of(fifo())));
  }

  private Path fifo() {
    return path.resolve("exec.fifo");
  }

  /** Whether the one file is there, and the other is not. */
  private record Looking(Path there, Optional<Path> gone) implements Aside.Step<Boolean> {
    @Override
    public Boolean run() {
      return Files.exists(there) && (gone.isEmpty() || !Files.exists(gone.get()));
    }
  }

  /** False, too, if the file system does not tell soon: a call is not held up for that. */
  private boolean look(Aside.Step<Boolean> step) throws InterruptedException {
    try {
      return Aside.run("stat " + fifo(), step, LOOK_WAIT_MAX);
    } catch (IOException e) {
      return false;
    }
  }
}
