package io.loomshim.stdio;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Fd;
import java.io.IOException;
import java.util.List;

/** Moves one stream until its source ends, then closes both ends. Methods may be called from any thread. */
sealed interface Pump permits Pump.InKernel, FilePump {
  /** From a pipe or fifo to another. */
  record InKernel(Flow flow) implements Pump {
    @Override
    public void onEnd(Runnable action) {
      flow.onEnd(action);
    }

    @Override
    public List<Held> held(String name) {
      return flow.held(name);
    }

    @Override
    public boolean awaitEnd(Deadline deadline) throws InterruptedException {
      return flow.awaitEnd(deadline);
    }

    @Override
    public void askForTurn() {
      flow.askForTurn();
    }

    @Override
    public void awaitTurn(Deadline deadline) throws InterruptedException {
      flow.awaitTurn(deadline);
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

  /** From now on {@code action} is run once both ends have been closed; at once if they have. */
  void onEnd(Runnable action);

  /** Both ends, in roles that begin with {@code name}; nothing once they are closed. */
  List<Held> held(String name);

  /** Waits until the source has ended and all of it has been moved; false when the deadline passed first. */
  boolean awaitEnd(Deadline deadline) throws InterruptedException;

  /** Asks for what the source holds now to be moved before anything else; does nothing where the target is a file. */
  default void askForTurn() {}

  /** Waits until that was done, as far as the target has room for it, or until the deadline. */
  default void awaitTurn(Deadline deadline) throws InterruptedException {}

  /** Ends it once what the source holds now has been moved, even if processes may still write to it. */
  void finish();

  /** Ends the moving now; what the source still holds is dropped. */
  void stop();
}
