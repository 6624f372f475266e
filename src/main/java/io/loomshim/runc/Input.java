package io.loomshim.runc;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import io.loomshim.linux.Poller;
import io.loomshim.threads.Joins;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Feeds a text to a command's stdin on a virtual thread of its own; a command that does not read it to its end is no
 * error. Belongs to one call.
 */
final class Input implements Runnable {
  private final Pipe pipe;
  private final byte[] text;
  private final Thread feeder;

  /** Makes the pipe and starts the thread {@code name}. */
  Input(String name, String text) throws ErrnoException {
    this.text = text.getBytes(StandardCharsets.UTF_8);
    pipe = Pipe.open();
    try {
      pipe.writer().nonBlocking(true);
    } catch (ErrnoException e) {
      pipe.close();
      throw e;
    }
    feeder = Threads.start(name, this);
  }

  /** The end for the command. */
  Fd reader() {
    return pipe.reader();
  }

  /** To be called once the command has been started: from then on its end breaks the pipe. */
  void started() {
    pipe.reader().close();
  }

  /** For the thread only. */
  @Override
  public void run() {
    try {
      int written = 0;
      while (written < text.length) {
        int count = pipe.writer().tryWrite(text, written, text.length - written);
        if (count < 0) {
          Poller.shared().awaitWritable(pipe.writer());
        } else {
          written += count;
        }
      }
    } catch (InterruptedException | IOException e) {
      // the command has ended or closed its stdin
    } finally {
      pipe.writer().close();
    }
  }

  /** Gives up what has not been read. Not cut short by interrupts. */
  void end() {
    pipe.reader().close();
    feeder.interrupt();
    Joins.join(feeder, RuncLimits.REAP_WAIT_MAX);
  }
}
