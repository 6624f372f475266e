package io.loomshim.stdio;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.ErrnoException;
import java.io.IOException;
import java.util.List;

/** The streams of one process, with or without a terminal. Methods may be called from any thread. */
public sealed interface Streams extends AutoCloseable permits ProcessIo, Console {
  /** Lets stdin end once the last writer outside is gone too; does nothing the second time. */
  void closeStdin();

  /** Tells the size of the client's window in characters, 16 bits each; does nothing without a terminal. */
  default void resize(int width, int height) throws ErrnoException {}

  /** The process has ended: a terminal's copies end with what it has left. Does nothing without a terminal. */
  default void shutdown() {}

  /** What the process was given as descriptors 0, 1 and 2; nothing for those that are terminals or /dev/null. */
  default List<StreamFile> files() throws IOException, InterruptedException {
    return List.of();
  }

  /** Waits until all output that goes through us has reached the client; false when the deadline passed. */
  boolean awaitDrained(Deadline deadline) throws InterruptedException;

  /** Closes everything; what the client has not taken yet stays in its fifo while it has that open. */
  @Override
  void close();
}
