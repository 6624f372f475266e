package io.loomshim.cgroup;

import io.loomshim.log.Log;
import io.loomshim.metrics.Shortages;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Tells of processes of one cgroup that the kernel has killed for lack of memory. The kernel's own counter of such
 * kills is the truth; its notifications only say when to look. The thread that is about to publish the end of a process
 * calls {@link #check} first, so the news of a kill never comes after that of the exit that it caused.
 *
 * <p>{@code lock} guards the counter and orders the news: each kill is told once, by whichever thread sees it.
 */
public final class OomWatch implements AutoCloseable {
  /** Takes the news of kills. */
  public interface Kills {
    /**
     * Processes have been killed since the last call. It is this container's own thread that calls; it may wait for a
     * lock that no caller of {@link OomWatch#start} or {@link OomWatch#check} holds.
     *
     * @param times how often; a container that is killed as a whole counts once
     * @param counted what the kernel has counted in all, by the inode of the cgroup's directory
     */
    void told(long times, Map<Long, Long> counted);
  }

  private static final String NOTIFICATION = "notification of memory";

  private final String id;
  private final OomCounter counter;
  private final Kills kills;
  private final ReentrantLock lock = new ReentrantLock();
  private Optional<AutoCloseable> wakeUps = Optional.empty();

  private OomWatch(String id, OomCounter counter, Kills kills) {
    this.id = id;
    this.counter = counter;
    this.kills = kills;
  }

  /**
   * Begins to watch. Where the kernel has no room for one more notification, or knows none, only {@link #check}
   * finds kills, which is told as a shortage.
   *
   * @param id the container, for the names of threads
   * @param kills is told of them
   * @param told what has been told already, by the inode of the cgroup's directory
   * @throws IOException when the cgroup has no memory controller
   */
  public static OomWatch start(String id, Cgroup cgroup, Kills kills, Map<Long, Long> told) throws IOException {
    var counter = OomCounter.of(cgroup, told);
    var watch = new OomWatch(id, counter, kills);
    try {
      watch.wakeUps =
          Optional.of(
              cgroup.unifiedOnly()
                  ? MemoryEventsWatch.add(counter.directory(), watch)
                  : OomNotifier.start(id, counter.directory(), watch));
      Shortages.end(NOTIFICATION);
    } catch (IOException e) {
      Shortages.begin(NOTIFICATION, "OOM kills are noticed only when a process exits", e);
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
      if (more > 0) {
        kills.told(more, counter.seen());
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
      if (wakeUps.isPresent()) {
        wakeUps.get().close();
      }
    } catch (Exception e) {
      // the caller has an exit to publish
      Log.warn("failed to end a watch", "id", id, "error", String.valueOf(e.getMessage()));
    }
  }
}
