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
 * Takes back what failed calls have made, a Create or a Start of an exec: each on a thread {@code undo/ID} of its own,
 * which is never interrupted. When that fails, for lack of a descriptor or a process perhaps, which is why the call
 * failed, it is tried again until it succeeds or {@link #TRIES_MAX} tries have failed; the caller waits for the first
 * one only. Until then nothing of the same name can be made: the next try would remove it. So one daemon has one of
 * these, for all of its containers. May be used from any thread; there is no lock.
 */
final class Undos {
  /** With the pauses between them, an hour: then a person must look. */
  static final int TRIES_MAX = 370;

  /** How long a call that needs the name waits for a try that is made for it: a runc command, on a busy machine. */
  private static final Duration HURRY_WAIT_MAX = Duration.ofSeconds(2);

  /** How long the first try is waited for: several runc commands on a busy machine. */
  private static final Duration FIRST_WAIT_MAX = Duration.ofSeconds(15);

  /** The same for a call that was cancelled: its client has gone, or is about to. */
  private static final Duration CANCELLED_WAIT_MAX = Duration.ofSeconds(2);

  private static final Duration PAUSE_MIN = Duration.ofMillis(100);
  private static final Duration PAUSE_MAX = Duration.ofSeconds(10);

  /** What is being removed, by the file or directory that stands for it. */
  private final ConcurrentHashMap<Path, Undo> pending = Undo.none();

  /**
   * Refuses to make again what is still being removed, after one more try to do that.
   *
   * @param place what stands for it: where runc keeps the container, or the pid file of the exec
   * @throws StatusException UNAVAILABLE
   */
  void check(String id, Path place) throws InterruptedException {
    Undo undo = pending.get(place);
    if (undo == null) {
      return;
    }
    undo.hurry.release();
    if (!undo.ended.await(HURRY_WAIT_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new StatusException(Code.UNAVAILABLE, "container " + id + ": an earlier one is still being removed");
    }
  }

  /**
   * Runs {@code step} until it succeeds, and returns after its first try, or while that waits for a file system; an
   * interrupt stays pending.
   *
   * @param why what has failed; an InterruptedException if the call's client waits no longer
   */
  void run(String id, Path place, Throwable why, Cleanup.Step step) {
    Undo undo = begin(id, place, step);
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

  /** Begins to run {@code step} until it succeeds, for a call that somebody else answers: see {@link #awaitTried}. */
  Undo begin(String id, Path place, Cleanup.Step step) {
    var undo = new Undo(pending, id, place, step);
    pending.put(place, undo);
    Threads.start("undo/" + id, undo);
    return undo;
  }

  /** Waits for the first try to remove {@code id}, if it is being removed, as long as {@link #run} does. */
  void awaitTried(String id) throws InterruptedException {
    for (Undo undo : pending.values()) {
      if (undo.id.equals(id) && !undo.tried.await(FIRST_WAIT_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
        Log.warn("clean-up goes on", "id", id);
      }
    }
  }

  /** The removal of what one call has made. */
  static final class Undo implements Runnable {
    private final ConcurrentHashMap<Path, Undo> pending;
    private final String id;
    private final Path place;
    private final Cleanup.Step step;
    private final CountDownLatch tried = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Semaphore hurry = new Semaphore(0);

    Undo(ConcurrentHashMap<Path, Undo> pending, String id, Path place, Cleanup.Step step) {
      this.pending = pending;
      this.id = id;
      this.place = place;
      this.step = step;
    }

    /** Loads this class, which may be impossible for lack of a descriptor when it is needed. */
    static ConcurrentHashMap<Path, Undo> none() {
      return new ConcurrentHashMap<>();
    }

    @Override
    public void run() {
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
        pending.remove(place);
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
}
