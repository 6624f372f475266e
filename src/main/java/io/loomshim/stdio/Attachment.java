package io.loomshim.stdio;

import io.loomshim.errors.StatusException;
import io.loomshim.linux.Fd;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How one command of the runtime gives a process its streams: the process inherits them from the command, or the
 * command makes a terminal and hands that over. Used by the thread of the call that makes the process; closed when the
 * command has ended, however it has.
 */
public interface Attachment extends AutoCloseable {
  /** The descriptors 0, 1 and 2 of the command and of the process; none when there is a console socket. */
  List<Fd> childFds();

  /** The socket over which the command is to hand the terminal over; none when the process inherits its streams. */
  Optional<Path> consoleSocket();

  /**
   * The command has made the process: begins to move what goes through its streams.
   *
   * @throws StatusException UNKNOWN {@code failed to retrieve console master: …} and the like
   */
  void complete() throws InterruptedException;

  /** Gives up what was needed for the command alone. */
  @Override
  void close();
}
