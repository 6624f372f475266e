package io.loomshim.container;

import io.loomshim.linux.ConsoleSocket;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.Pty;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncCommand;
import io.loomshim.runc.RuncException;
import io.loomshim.stdio.Console;
import io.loomshim.stdio.StdioPaths;
import io.loomshim.ttrpc.Code;
import io.loomshim.ttrpc.StatusException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** How a process with a terminal is made: runc makes the terminal and hands it over. Stateless. */
final class TerminalLaunch {
  /** runc hands the terminal over before it ends well, so what comes later than this never comes. */
  private static final Duration HAND_OVER_WAIT_MAX = Duration.ofSeconds(10);

  /** The runc command, once the path of the console socket is known. */
  interface Command {
    RuncCommand with(Path consoleSocket);
  }

  /** The texts by which clients know what failed. */
  record Failures(String socket, String command) {}

  private TerminalLaunch() {}

  /** Opens the client's ends of a terminal. */
  static Console open(String name, StdioPaths paths) throws InterruptedException {
    try {
      return Console.open(name, paths);
    } catch (IOException e) {
      String prefix = e.getMessage().startsWith("failed to open stdin fifo") ? "" : "failed to start console copy: ";
      throw new StatusException(Code.UNKNOWN, prefix + e.getMessage(), e);
    }
  }

  /**
   * Runs the command, takes the terminal over and begins to copy.
   *
   * @throws StatusException UNKNOWN with one of {@code failures} or {@code failed to retrieve console master: …}; a
   *     process may have been made then all the same
   */
  static void run(Runc runc, Command command, Failures failures, Console console) throws InterruptedException {
    try (ConsoleSocket socket = openSocket(failures.socket())) {
      try {
        runc.run(command.with(socket.path()));
      } catch (RuncException e) {
        throw new StatusException(Code.UNKNOWN, e.logged(failures.command()), e);
      }
      console.start(receive(socket));
    } catch (IOException e) {
      throw new StatusException(Code.UNKNOWN, "failed to start console copy: " + e.getMessage(), e);
    }
  }

  private static ConsoleSocket openSocket(String failure) {
    try {
      return ConsoleSocket.open();
    } catch (IOException e) {
      throw new StatusException(Code.UNKNOWN, failure + ": " + e.getMessage(), e);
    }
  }

  private static Pty receive(ConsoleSocket socket) throws InterruptedException {
    try {
      return socket.receive(Deadline.in(HAND_OVER_WAIT_MAX));
    } catch (IOException e) {
      throw new StatusException(Code.UNKNOWN, "failed to retrieve console master: " + e.getMessage(), e);
    }
  }
}
