package io.loomshim.stdio;

import io.loomshim.linux.CopyBuffer;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import io.loomshim.linux.Poller;
import io.loomshim.log.Log;
import io.loomshim.threads.Joins;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.time.Duration;

/**
 * Copies what the client writes to the terminal, on a virtual thread of its own that also closes the terminal's
 * descriptor. When the client's end has ended, the terminal is hung up. Any thread may stop it.
 */
final class ConsoleInput {
  /** What a terminal takes at once: the input buffer of its line discipline. */
  private static final int BUFFER_BYTES = 4096;

  /** Between tries to write while no process has the terminal open: nothing tells when one opens it. */
  private static final Duration PAUSE_MIN = Duration.ofMillis(1);
  private static final Duration PAUSE_MAX = Duration.ofSeconds(1);

  private static final Duration STOP_WAIT_MAX = Duration.ofSeconds(5);

  private final String name;
  private final Fd from;
  private final Fd to;
  private final ConsoleOutput output;
  private final Thread thread;

  /** Takes ownership of {@code to}, a master of the terminal; {@code from} stays the caller's. Both non-blocking. */
  ConsoleInput(String name, Fd from, Fd to, ConsoleOutput output) {
    this.name = name;
    this.from = from;
    this.to = to;
    this.output = output;
    this.thread = Threads.unstarted(name, this::run);
  }

  void start() {
    thread.start();
  }

  private void run() {
    try (to; var buffer = new CopyBuffer(BUFFER_BYTES)) {
      if (!Outliving.wanted() || !Pipe.is(from) || !move()) {
        copy(buffer);
      }
    } catch (IOException e) {
      Log.warn("error copying", "stream", name, "error", String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      return; // the process has ended, or all of it is being closed
    }
    output.hangUp();
  }

  /** Has the kernel move all, so that no byte is in this process alone; false where it does not (Linux before 5.11). */
  private boolean move() throws IOException, InterruptedException {
    Duration pause = PAUSE_MIN;
    while (true) {
      long moved = from.splice(to, BUFFER_BYTES);
      if (moved == 0 || moved == -Errno.EINVAL) {
        return moved == 0;
      }
      if (moved == -Errno.EIO) {
        pause = pause(pause);
      } else if (moved == -Errno.EAGAIN && from.ready()) {
        Poller.shared().awaitWritable(to);
      } else if (moved == -Errno.EAGAIN) {
        Poller.shared().awaitReadable(from);
      } else if (moved > 0 || moved == -Errno.EINTR) {
        pause = PAUSE_MIN;
      } else {
        throw new ErrnoException("splice", (int) -moved);
      }
    }
  }

  /** Sleeps; the next pause is what it returns. */
  private static Duration pause(Duration pause) throws InterruptedException {
    Thread.sleep(pause);
    return pause.multipliedBy(2).compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : PAUSE_MAX;
  }

  private void copy(CopyBuffer buffer) throws IOException, InterruptedException {
    while (true) {
      int count = buffer.fill(from);
      if (count == 0) {
        return;
      }
      if (count < 0) {
        buffer.release();
        Poller.shared().awaitReadable(from);
      } else {
        deliver(buffer);
      }
    }
  }

  private void deliver(CopyBuffer buffer) throws IOException, InterruptedException {
    Duration pause = PAUSE_MIN;
    while (!buffer.empty()) {
      try {
        if (buffer.drain(to) < 0) {
          Poller.shared().awaitWritable(to);
        }
      } catch (ErrnoException e) {
        if (e.errno() != Errno.EIO) {
          throw e;
        }
        pause = pause(pause);
      }
    }
  }

  /** Ends the copy without hanging up. */
  void stop() {
    thread.interrupt();
  }

  /** Waits for the end of a copy that was stopped; false when it still needs its descriptors. */
  boolean awaitStopped() {
    return Joins.join(thread, STOP_WAIT_MAX);
  }
}
