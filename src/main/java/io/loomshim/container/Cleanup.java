package io.loomshim.container;

import io.loomshim.log.Log;
import io.loomshim.threads.Threads;
import java.io.IOException;

/** Runs what must be done to its end even when the call that it belongs to has been cancelled. */
final class Cleanup {
  /** What to do. */
  interface Step {
    void run() throws IOException, InterruptedException;
  }

  private Cleanup() {}

  /**
   * Runs {@code step} on a thread of its own, which is never interrupted, and waits for it; an interrupt of the
   * calling thread stays pending. A failure is logged.
   */
  static void run(String name, Step step) {
    Thread thread = Threads.start(name, () -> runLogged(name, step));
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void runLogged(String name, Step step) {
    try {
      step.run();
    } catch (IOException | InterruptedException | RuntimeException | OutOfMemoryError e) {
      Log.warn("clean-up incomplete", "step", name, "error", String.valueOf(e.getMessage()));
    }
  }
}
