package io.loomshim.container;

import io.loomshim.errors.Scarcity;
import io.loomshim.linux.Deadline;
import io.loomshim.log.Log;
import io.loomshim.process.Child;
import io.loomshim.record.Journal;
import io.loomshim.stdio.Streams;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * The end of one process: waits for it, has what it leaves ended, and has it told. Runs on the thread {@code exit/ID}
 * or {@code exit/ID/EXEC}, which is never interrupted.
 *
 * @param resumed whether an earlier daemon had waited for the end: what must be known before it is found out aside
 */
record ExitWatch(ContainerProcess process, boolean resumed) implements Runnable, IntConsumer {
  /** How long the news of an end may wait for the process's output to be moved; a busy machine has taken 50 ms. */
  static final Duration FORWARD_WAIT_MAX = Duration.ofMillis(100);

  /** Between two tries while there is no memory to wait. */
  private static final long SCARCE_PAUSE_NANOS = 100_000_000;

  @Override
  public void run() {
    if (!resumed) {
      process.beforeEnd();
    }
    int status = awaitEnd(); // a pidfd stays on the shelf until the streams go, and means nothing by then: see accept
    process.endRest();
    forwardOutput();
    process.publishEnd(status);
  }

  /**
   * The status is known, and the pidfd still kept: writes it down, because once the process has been reaped nothing but
   * the pidfd tells it, on newer kernels, and what follows may take seconds.
   */
  @Override
  public void accept(int status) {
    Journal journal = process.container.common.journal();
    try {
      if (journal.keeps()) {
        journal.write(Notes.reaped(process.subject.toString(), process.pid(), status));
      }
    } catch (OutOfMemoryError e) {
      journal.giveUp(e);
    }
  }

  /**
   * Before anything tells of the end: clients up to containerd 1.6 close their ends of the output when they hear of it,
   * and lose what is not there.
   */
  private void forwardOutput() {
    Optional<Streams> streams = process.openedStreams();
    if (streams.isEmpty()) {
      return;
    }
    streams.get().shutdown();
    try {
      streams.get().awaitForwarded(Deadline.in(FORWARD_WAIT_MAX));
    } catch (InterruptedException | OutOfMemoryError e) {
      Log.warn("an exit is published before its output was delivered", "id", process.subject.container());
    }
  }

  private int awaitEnd() {
    Child child = process.child.orElseThrow();
    child.onEnd(this);
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
