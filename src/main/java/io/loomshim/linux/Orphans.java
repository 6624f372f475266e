package io.loomshim.linux;

import io.loomshim.log.Log;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Sweeps now and then for as long as there is somebody whose processes may fall to us without being known:
 * a container without a pid namespace of its own. The thread {@code orphans} lives only then.
 */
public final class Orphans {
  /** How long such a zombie may lie about. Nobody waits for it; it only takes a pid. */
  static final Duration SWEEP_INTERVAL = Duration.ofSeconds(10);

  /** What takes longer to end than this after its work has ended is left to the next sweep. */
  private static final Duration SOON = Duration.ofMillis(500);

  private static final ReentrantLock LOCK = new ReentrantLock();
  private static int sources; // guarded by LOCK
  private static boolean sweeping; // guarded by LOCK
  private static boolean soon; // guarded by LOCK

  private Orphans() {}

  /** One more source of orphans. */
  public static void begin() {
    LOCK.lock();
    try {
      sources++;
      if (!sweeping) {
        sweeping = true;
        Threads.start("orphans", Orphans::run);
      }
    } finally {
      LOCK.unlock();
    }
  }

  /** One less. */
  public static void end() {
    LOCK.lock();
    try {
      sources--;
    } finally {
      LOCK.unlock();
    }
  }

  /**
   * What has just been left to end by itself, or a child whose pid nobody has learnt, may be an orphan: reaps it soon,
   * or if it takes its time, later.
   */
  public static void sweepSoon() {
    LOCK.lock();
    try {
      if (soon) {
        return;
      }
      soon = true;
    } finally {
      LOCK.unlock();
    }
    Threads.start("orphans/soon", Orphans::runSoon);
  }

  /**
   * Looks whether somebody has left a zombie to us, such as a hook that leaves a process running, and has it reaped
   * soon. To be called now and then; costs a system call.
   */
  public static void look() {
    if (Children.strayZombie()) {
      sweepSoon();
    }
  }

  private static void runSoon() {
    try {
      Thread.sleep(SOON);
      nobodyIsSoon();
      Children.sweep();
    } catch (IOException | InterruptedException e) {
      Log.warn("orphans not swept", "error", String.valueOf(e.getMessage()));
    }
    begin();
    end();
  }

  private static void nobodyIsSoon() {
    LOCK.lock();
    try {
      soon = false;
    } finally {
      LOCK.unlock();
    }
  }

  private static void run() {
    boolean last = false;
    while (!last) {
      try {
        Thread.sleep(SWEEP_INTERVAL);
        last = over();
        sweep(last);
      } catch (IOException | InterruptedException e) {
        Log.warn("orphans not swept", "error", String.valueOf(e.getMessage()));
        if (last) { // no descriptor to look, perhaps: not the last time
          begin();
          end();
        }
      }
    }
  }

  /** Sweeps; if that is the last time and a launch is in its way, it is not the last. */
  static void sweep(boolean last) throws IOException {
    if (Children.sweep().isEmpty() && last) {
      begin();
      end();
    }
  }

  /** Whether the last source has ended; the next one starts a thread again. */
  private static boolean over() {
    LOCK.lock();
    try {
      sweeping = sources > 0;
      return !sweeping;
    } finally {
      LOCK.unlock();
    }
  }
}
