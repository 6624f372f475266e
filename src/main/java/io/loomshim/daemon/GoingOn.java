package io.loomshim.daemon;

import io.loomshim.container.Container;
import io.loomshim.container.Containers;
import io.loomshim.linux.Fd;
import io.loomshim.log.Log;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a daemon that has taken over does once it answers, container by container: all that no client asks for, so that
 * none waits for it. Runs on the thread {@code going-on}, once.
 *
 * @param taken those that it has taken over
 * @param containers all that there are now
 */
record GoingOn(List<Container> taken, Containers containers, ContainerLogs logs) implements Runnable {
  @Override
  public void run() {
    try {
      for (Container container : taken) {
        goOn(container);
      }
    } catch (InterruptedException e) {
      throw new AssertionError("this thread is never interrupted", e);
    }
  }

  private void goOn(Container container) throws InterruptedException {
    try {
      reopenLog(container);
      container.goOn();
    } catch (RuntimeException | OutOfMemoryError e) { // the others have their turns all the same
      Log.warn("not all of a container goes on", "id", container.id(), "error", e.toString());
    }
  }

  private void reopenLog(Container container) throws InterruptedException {
    try {
      Path bundle = container.bundle();
      Optional<Fd> log = Aside.run("open log in " + bundle, new Opening(bundle));
      if (log.isPresent()) {
        logs.reopened(container.id(), log.get());
        if (!there(container)) {
          logs.close(container.id(), log.get()); // it was deleted meanwhile
        }
      }
    } catch (IOException e) {
      Log.debug("log not opened", "id", container.id(), "error", String.valueOf(e.getMessage()));
    }
  }

  private boolean there(Container container) {
    Optional<Container> now = containers.find(container.id());
    return now.isPresent() && now.get() == container;
  }

  private record Opening(Path bundle) implements Aside.Step<Optional<Fd>> {
    @Override
    public Optional<Fd> run() {
      return ContainerLogs.find(bundle);
    }
  }
}
