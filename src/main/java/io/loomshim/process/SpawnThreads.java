package io.loomshim.process;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.ThreadCalls;
import io.loomshim.log.Log;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Has programs started by a {@link SpawnThread} where this process has so many files open that it pays. A few threads
 * are made as they are needed and stay; where all are at work, or a file system holds them up, the caller starts its
 * program itself, as it does with few files: that is slower and nothing else.
 *
 * <p>A registry of the process, whose table of descriptors it is about. May be used from any platform thread; there is
 * no lock.
 */
final class SpawnThreads {
  /**
   * From this descriptor on a thread pays: it saves 0.1 ms and costs two wake-ups. The kernel gives the lowest that is
   * free, so the number of a fresh one tells how many there are, near enough.
   */
  static final int MANY = 1000;

  /** As many can work at once, and one or two may be held up. */
  static final int THREADS_MAX = Runtime.getRuntime().availableProcessors() + 2;

  private static final ConcurrentLinkedDeque<SpawnThread> IDLE = new ConcurrentLinkedDeque<>();
  private static final AtomicInteger MADE = new AtomicInteger();
  private static volatile boolean used = true;
  private static volatile int many = MANY;

  private SpawnThreads() {}

  /** From now on each caller starts its programs itself. */
  static void unused() {
    used = false;
  }

  /** For tests: from which descriptor on. */
  static void payFrom(int descriptor) {
    many = descriptor;
  }

  /** How many threads there are. */
  static int made() {
    return MADE.get();
  }

  /** Starts a program; {@code sources} become the descriptors of the child. Returns its pid. */
  static int start(Spawn spawn, int[] sources) throws ErrnoException {
    if (!used || sources.length == 0 || sources.length > ThreadCalls.LOWEST_FETCHED || sources[0] < many) {
      return Spawner.posixSpawn(spawn, sources);
    }
    Optional<SpawnThread> thread = idle();
    try {
      if (thread.isPresent()) {
        return thread.get().start(spawn, sources);
      }
    } catch (SpawnThread.Unable e) {
      giveUp(e);
    } finally {
      thread.ifPresent(IDLE::push);
    }
    return Spawner.posixSpawn(spawn, sources);
  }

  /** Should several callers make one at once, there are a few more than there should be. */
  private static Optional<SpawnThread> idle() {
    SpawnThread idle = IDLE.poll();
    if (idle != null) {
      return Optional.of(idle);
    }
    try {
      if (MADE.get() < THREADS_MAX) {
        SpawnThread made = SpawnThread.make();
        MADE.incrementAndGet();
        return Optional.of(made);
      }
    } catch (SpawnThread.Unable | ErrnoException e) {
      giveUp(e);
    } catch (OutOfMemoryError e) {
      // there is no process left on the machine for a thread
    }
    return Optional.empty();
  }

  private static void giveUp(Exception why) {
    used = false;
    Log.info("spawn_apart has no effect", "error", String.valueOf(why.getMessage()));
  }
}
