package io.loomshim.runc;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import io.loomshim.threads.Joins;
import io.loomshim.threads.Threads;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Takes what a command prints, so that it never waits for room in the pipe. A virtual thread of its own reads until
 * the end of the pipe; it keeps the first {@link RuncLimits#OUTPUT_BYTES_MAX} bytes and drops the rest. The owner
 * reads {@link #text} after {@link #end}, which joins that thread: what it kept happens-before.
 */
final class Output implements Runnable {
  private static final int BUFFER_BYTES = 4096;

  private final Pipe pipe;
  private final Thread reader;
  private final ByteArrayOutputStream kept = new ByteArrayOutputStream();

  /** Makes the pipe and starts the thread {@code name}. */
  Output(String name) throws ErrnoException {
    pipe = Pipe.open();
    try {
      pipe.reader().nonBlocking(true);
    } catch (ErrnoException e) {
      pipe.close();
      throw e;
    }
    reader = Threads.start(name, this);
  }

  /** The end for the command. */
  Fd writer() {
    return pipe.writer();
  }

  /** To be called once the command has been started: from then on the pipe ends with the command. */
  void started() {
    pipe.writer().close();
  }

  /** For the thread only. */
  @Override
  public void run() {
    byte[] buffer = new byte[BUFFER_BYTES];
    try {
      for (int count = pipe.reader().read(buffer); count > 0; count = pipe.reader().read(buffer)) {
        kept.write(buffer, 0, Math.min(count, RuncLimits.OUTPUT_BYTES_MAX - kept.size()));
      }
    } catch (InterruptedException | IOException e) {
      // given up by end(), or unreadable: what was read until here is what there is
    }
  }

  /** Waits at most {@code limit} for the end of the pipe, then gives up and closes it. Not cut short by interrupts. */
  void end(Duration limit) {
    pipe.writer().close();
    if (!Joins.join(reader, limit)) {
      reader.interrupt();
      Joins.join(reader, RuncLimits.REAP_WAIT_MAX);
    }
    pipe.reader().close();
  }

  /** What was printed; call only after {@link #end}. */
  String text() {
    return kept.toString(StandardCharsets.UTF_8);
  }
}
