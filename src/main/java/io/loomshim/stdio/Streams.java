package io.loomshim.stdio;

import io.loomshim.errors.Scarcity;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.ErrnoException;
import java.io.IOException;
import java.util.List;

/** The streams of one process, with or without a terminal. Methods may be called from any thread. */
public sealed interface Streams extends AutoCloseable permits ProcessIo, Console {
  /**
   * Opens the client's ends; waits for a reader of each output fifo.
   *
   * @param name what the threads of the streams are called after
   * @param owner who must own the streams of a process without a terminal
   * @param context whose output a logger takes
   * @throws StatusException DEADLINE_EXCEEDED without a reader, INVALID_ARGUMENT for an unknown scheme, UNKNOWN {@code
   *     failed to start console copy: …} for a terminal
   * @throws IOException {@code containerd-shim: opening PATH failed: …}
   */
  static Streams open(String name, StdioPaths paths, ProcessIo.Owner owner, LogContext context)
      throws IOException, InterruptedException {
    if (!paths.terminal()) {
      return ProcessIo.open(name, paths, owner, context);
    }
    try {
      return Console.open(name, paths, context);
    } catch (StdinException e) {
      throw new StatusException(Scarcity.code(e), e.getMessage(), e);
    } catch (IOException e) {
      throw new StatusException(Scarcity.code(e), "failed to start console copy: " + e.getMessage(), e);
    }
  }

  /**
   * Gets ready for the command that makes the process; may be repeated when the command has failed.
   *
   * @throws IOException when there can be no console socket
   */
  Attachment attach() throws IOException;

  /**
   * Goes on with the streams of a process whose daemon was killed.
   *
   * @param held what that daemon's streams held; this takes ownership, also when it fails
   */
  static Streams resume(String name, StdioPaths paths, List<Held> held) throws IOException {
    try (var roles = new Roles(held)) {
      return paths.terminal() ? Console.resume(name, paths, roles) : ProcessIo.resume(name, paths, roles);
    }
  }

  /** What it holds now, for another daemon to go on with; what is moved by none of our threads is not in it. */
  List<Held> held();

  /** From now on {@code action} is run whenever {@link #held} has changed; from any thread, with no lock held. */
  void onChange(Runnable action);

  /** Lets stdin end once the last writer outside is gone too; does nothing the second time. */
  void closeStdin();

  /** Tells the size of the client's window in characters, 16 bits each; does nothing without a terminal. */
  default void resize(int width, int height) throws ErrnoException {}

  /** The process has ended: a terminal's copies end with what it has left. Does nothing without a terminal. */
  default void shutdown() {}

  /**
   * The process has ended: waits until what it has written is where the client reads, as far as there is room for it,
   * but no longer than until {@code deadline}. A client may close its ends as soon as it hears of the end.
   */
  void awaitForwarded(Deadline deadline) throws InterruptedException;

  /** The pipes that the process was given as descriptors 0, 1 and 2; nothing for terminals and /dev/null. */
  default List<StreamFile> files() {
    return List.of();
  }

  /**
   * The process has ended: waits until all that it has written has reached the client, and a moment for what others
   * may write who still have its streams; false when the deadline passed.
   */
  boolean awaitDrained(Deadline deadline) throws InterruptedException;

  /** Closes everything; what the client has not taken yet stays in its fifo while it has that open. */
  @Override
  void close();
}
