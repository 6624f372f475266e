package io.loomshim.stdio;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Flow;
import java.io.IOException;

/** Moves one stream until its source ends, then closes both ends. Methods may be called from any thread. */
sealed interface Pump permits Pump.InKernel, FilePump {
  /** From a pipe or fifo to another. */
  record InKernel(Flow flow) implements Pump {
    @Override
    public boolean awaitEnd(Deadline deadline) throws InterruptedException {
      return flow.awaitEnd(deadline);
    }

    @Override
    public void finish() {
      flow.finish();
    }

    @Override
    public void stop() {
      flow.stop();
    }
  }

  /**
   * Begins to move from a non-blocking reading end to a non-blocking writing end.
   *
   * @param from this takes ownership of both, also when it fails
   */
  static Pump betweenPipes(String name, Fd from, Fd to) throws IOException {
    return new InKernel(Flow.start(name, from, to));
  }

  /** Waits until the source has ended and all of it has been moved; false when the deadline passed first. */
  boolean awaitEnd(Deadline deadline) throws InterruptedException;

  /** Ends it once what the source holds now has been moved, whoever may still write to it. */
  void finish();

  /** Ends the moving now; what the source still holds is dropped. */
  void stop();
}
