package io.loomshim.container;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.log.Log;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Takes back what a failed Create, or Start of an exec, has made, on the thread {@code undo/ID}, which nobody
 * interrupts. When that fails, for want of a descriptor or a process perhaps, which is why the call failed, it is tried
 * again until it succeeds or {@link #TRIES_MAX} tries have failed; the caller waits for the first one only. Until then
 * nobody may make another of the same name: the next try would remove it.
 */
final class Undo {
  /** With the pauses between them, an hour: then somebody must look. */
  static final int TRIES_MAX = 370;

  /** How long somebody who needs the name waits for a try that is made for him: a runc command, on a busy machine. */
  private static final Duration HURRY_WAIT_MAX = Duration.ofSeconds(2);

  /** How long the first try is waited for: several runc commands on a busy machine. */
  private static final Duration FIRST_WAIT_MAX = Duration.ofSeconds(15);

  /** The same for a call that was cancelled: its client has gone, or is about to. */
  private static final Duration CANCELLED_WAIT_MAX = Duration.ofSeconds(2);

  private static final Duration PAUSE_MIN = Duration.ofMillis(100);
  private static final Duration PAUSE_MAX = Duration.ofSeconds(10);

  /** What is being removed, by the file or directory that stands for it. */
  private static final ConcurrentHashMap<Path, Undo> PENDING = new ConcurrentHashMap<>();

  private final String id;
  private final Path place;
  private final Cleanup.Step step;
  private final CountDownLatch tried = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Semaphore hurry = new Semaphore(0);

  private Undo(String id, Path place, Cleanup.Step step) {
    this.id = id;
    this.place = place;
    this.step = step;
  }

  /**
   * Refuses to make again what is still being removed, after one more try to do that.
   *
   * @param place what stands for it: where runc keeps the container, or the pid file of the exec
   * @throws StatusException UNAVAILABLE
   */
  static void check(String id, Path place) throws InterruptedException {
    Undo pending = PENDING.get(place);
    if (pending == null) {
      return;
    }
    pending.hurry.release();
    if (!pending.ended.await(HURRY_WAIT_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new StatusException(Code.UNAVAILABLE, "what is left of an earlier " + id + " is still being removed");
    }
  }

  /**
   * Runs {@code step} until it succeeds, and returns after its first try, or while that waits for a file system; an
   * interrupt stays pending.
   *
   * @param why what has failed; an InterruptedException if nobody waits for the call any longer
   */
  static void run(String id, Path place, Throwable why, Cleanup.Step step) {
    var undo = new Undo(id, place, step);
    PENDING.put(place, undo);
    Threads.start("undo/" + id, undo::repeat);
    boolean interrupted = Thread.interrupted();
    boolean cancelled = interrupted || why instanceof InterruptedException;
    long end = System.nanoTime() + (cancelled ? CANCELLED_WAIT_MAX : FIRST_WAIT_MAX).toNanos();
    while (true) {
      try {
        if (!undo.tried.await(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
          Log.warn("clean-up goes on", "id", id);
        }
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** The story of the thread. */
  private void repeat() {
    try {
      Duration pause = PAUSE_MIN;
      for (int i = 0; i < TRIES_MAX && !done(); i++) {
        tried.countDown();
        if (hurry.tryAcquire(pause.toMillis(), TimeUnit.MILLISECONDS)) {
          hurry.drainPermits();
        }
        pause = pause.compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : PAUSE_MAX;
      }
    } catch (InterruptedException e) {
      Log.warn("clean-up interrupted", "id", id);
    } finally {
      PENDING.remove(place);
      ended.countDown();
      tried.countDown();
    }
  }

  private boolean done() throws InterruptedException {
    try {
      step.run();
      return true;
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      Log.warn("clean-up incomplete", "id", id, "error", String.valueOf(e.getMessage()));
      return false;
    }
  }
}
