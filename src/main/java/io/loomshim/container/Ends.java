package io.loomshim.container;

import io.loomshim.errors.Scarcity;
import io.loomshim.linux.Child;
import io.loomshim.log.Log;
import java.util.concurrent.locks.LockSupport;

/** How the stories of processes wait for the end of theirs. Stateless. */
final class Ends {
  /** Between two tries while there is no memory to wait. */
  private static final long SCARCE_PAUSE_NANOS = 100_000_000;

  private Ends() {}

  /** Waits for the end of {@code child} on a thread that nobody interrupts: its work must be done in any case. */
  static int await(Child child) {
    while (true) {
      try {
        return child.await();
      } catch (InterruptedException e) {
        Log.warn("interrupted wait for the end of a process", "pid", Integer.toString(child.pid()));
      } catch (IllegalStateException | OutOfMemoryError e) {
        if (!Scarcity.of(e instanceof OutOfMemoryError ? e : e.getCause())) {
          throw e;
        }
        LockSupport.parkNanos(SCARCE_PAUSE_NANOS); // no memory, here or in the kernel: no exit is lost for that
      }
    }
  }
}
