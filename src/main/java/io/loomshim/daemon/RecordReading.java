package io.loomshim.daemon;

import io.loomshim.inspect.Identity;
import io.loomshim.record.RecordFile;
import io.loomshim.record.Saved;
import io.loomshim.record.State;
import io.loomshim.rundir.DaemonRecord;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Reads what a daemon that was killed has recorded, and goes on with that record, on the platform thread {@code record}
 * while the main thread looks at the shelf. The getters are for the main thread, after {@link #await}.
 */
final class RecordReading implements Runnable {
  private final Identity identity;
  private final DaemonRecord own;
  private final Thread thread;

  // Written by the thread, read after its end.
  private State state;
  private Saved saved;
  private RecordKeeping keeping;
  private IOException failure;
  private Throwable defect;

  private RecordReading(Identity identity, DaemonRecord own) {
    this.identity = identity;
    this.own = own;
    this.thread = Threads.startPlatform("record", this);
  }

  /** Begins to read the record in the run directory; {@code own} names this daemon. */
  static RecordReading begin(Identity identity, DaemonRecord own) {
    return new RecordReading(identity, own);
  }

  @Override
  public void run() {
    Path file = identity.run().resolve(RecordFile.NAME);
    try {
      RecordFile.Content content = RecordFile.read(file);
      state = content.state();
      saved = Saved.of(file.toString(), state);
      keeping = RecordKeeping.resume(identity, own, saved, content);
    } catch (IOException e) {
      failure = e;
    } catch (RuntimeException | Error e) {
      defect = e;
    }
  }

  /**
   * Waits for it.
   *
   * @throws IOException when the record cannot be read or written
   */
  void await() throws IOException {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new IOException("interrupted", e);
    }
    if (failure != null) {
      throw failure;
    }
    if (defect != null) {
      throw new IllegalStateException("reading the record", defect);
    }
  }

  State state() {
    return state;
  }

  Saved saved() {
    return saved;
  }

  RecordKeeping keeping() {
    return keeping;
  }
}
