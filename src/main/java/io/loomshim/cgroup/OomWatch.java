package io.loomshim.cgroup;

import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Tells of processes of one cgroup that the kernel has killed for want of memory. The kernel's own counter of such
 * kills is the truth; its notifications only say when to look. Whoever is about to publish the end of a process
 * calls {@link #check} first, so the news of a kill never comes after that of the exit that it caused.
 *
 * <p>{@code lock} guards the last count and orders the news: each growth is told once, by whichever thread sees it.
 */
public final class OomWatch implements AutoCloseable {
  private final String id;
  private final Cgroup cgroup;
  private final Runnable onKill;
  private final ReentrantLock lock = new ReentrantLock();
  private long told;
  private AutoCloseable wakeUps = () -> {};

  private OomWatch(String id, Cgroup cgroup, Runnable onKill) {
    this.id = id;
    this.cgroup = cgroup;
    this.onKill = onKill;
  }

  /**
   * Begins to watch.
   *
   * @param id the container, for the names of threads
   * @param onKill called for each growth of the counter, on the thread that sees it, which is this container's own
   * @throws IOException when the cgroup has no memory controller, or the kernel has no room for a watch
   */
  public static OomWatch start(String id, Cgroup cgroup, Runnable onKill) throws IOException {
    var watch = new OomWatch(id, cgroup, onKill);
    watch.wakeUps = cgroup.unifiedOnly() ? MemoryEventsWatch.add(cgroup, watch) : OomNotifier.start(id, cgroup, watch);
    watch.check();
    return watch;
  }

  /** The container. */
  String id() {
    return id;
  }

  /** Looks at the counter, and tells when it has grown. A cgroup that is gone tells nothing any more. */
  public void check() {
    lock.lock();
    try {
      long kills = cgroup.oomKills();
      if (kills > told) {
        told = kills;
        onKill.run();
      }
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
      throw new IllegalStateException("closing a watch", e); // neither kind throws
    }
  }
}
