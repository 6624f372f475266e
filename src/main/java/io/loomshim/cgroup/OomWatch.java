package io.loomshim.cgroup;

import io.loomshim.insight.Shortages;
import io.loomshim.log.Log;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Tells of processes of one cgroup that the kernel has killed for want of memory. The kernel's own counter of such
 * kills is the truth; its notifications only say when to look. Whoever is about to publish the end of a process
 * calls {@link #check} first, so the news of a kill never comes after that of the exit that it caused.
 *
 * <p>{@code lock} guards the counter and orders the news: each kill is told once, by whichever thread sees it.
 */
public final class OomWatch implements AutoCloseable {
  private static final String NOTIFICATION = "notification of memory";

  private final String id;
  private final OomCounter counter;
  private final Runnable onKill;
  private final ReentrantLock lock = new ReentrantLock();
  private AutoCloseable wakeUps = () -> {};

  private OomWatch(String id, OomCounter counter, Runnable onKill) {
    this.id = id;
    this.counter = counter;
    this.onKill = onKill;
  }

  /**
   * Begins to watch. Where the kernel has no room for one more notification, or knows none, only {@link #check}
   * finds kills, which is told as a shortage.
   *
   * @param id the container, for the names of threads
   * @param onKill called once for each kill, and once for a container that is killed as a whole, on the thread that
   *     sees it, which is this container's own; it may wait for a lock that nobody holds who calls this or {@link
   *     #check}
   * @throws IOException when the cgroup has no memory controller
   */
  public static OomWatch start(String id, Cgroup cgroup, Runnable onKill) throws IOException {
    var counter = OomCounter.of(cgroup);
    var watch = new OomWatch(id, counter, onKill);
    try {
      watch.wakeUps =
          cgroup.unifiedOnly()
              ? MemoryEventsWatch.add(counter.directory(), watch)
              : OomNotifier.start(id, counter.directory(), watch);
      Shortages.end(NOTIFICATION);
    } catch (IOException e) {
      Shortages.begin(NOTIFICATION, "out of memory is noticed at exits only", e);
    }
    watch.check();
    return watch;
  }

  /** The container. */
  String id() {
    return id;
  }

  /**
   * Looks at the counter, and tells by how much it has grown. A cgroup that is gone tells nothing any more.
   *
   * @return what it has told
   */
  public long check() {
    lock.lock();
    try {
      long more = counter.more();
      for (long i = 0; i < more; i++) {
        onKill.run();
      }
      return more;
    } finally {
      lock.unlock();
    }
  }

  /** Ends the watch; can be repeated. */
  @Override
  public void close() {
    try {
      wakeUps.close();
    } catch (Exception e) {
      // whoever closes this has an exit to publish
      Log.warn("failed to end a watch", "id", id, "error", String.valueOf(e.getMessage()));
    }
  }
}
