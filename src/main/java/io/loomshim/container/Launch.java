package io.loomshim.container;

import io.loomshim.errors.Code;
import io.loomshim.errors.Scarcity;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.ConsoleSocket;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.Pty;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncCommand;
import io.loomshim.runc.RuncException;
import io.loomshim.stdio.Console;
import io.loomshim.stdio.LogContext;
import io.loomshim.stdio.ProcessIo;
import io.loomshim.stdio.StdinException;
import io.loomshim.stdio.StdioPaths;
import io.loomshim.stdio.Streams;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How a process gets its streams when runc makes it: it inherits them, or runc makes a terminal and hands that over.
 * Stateless; run by the thread of the call that makes the process.
 */
final class Launch {
  /** runc hands a terminal over before it ends well, so what is not there then never comes. */
  private static final Duration HAND_OVER_WAIT_MAX = Duration.ZERO;

  /** The runc command, once it is known whether there is a console socket. */
  interface Command {
    RuncCommand with(Optional<Path> consoleSocket);
  }

  /** Before what went wrong, the texts by which clients know it. */
  record Failures(String command, String consoleSocket) {}

  private Launch() {}

  /** Opens the client's ends. */
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
   * Runs the command, which makes a process with {@code streams}.
   *
   * @throws StatusException UNKNOWN with one of {@code failures} or {@code failed to retrieve console master: …}; the
   *     process may exist all the same then
   */
  static void run(Runc runc, Command command, Failures failures, Streams streams) throws InterruptedException {
    try {
      if (streams instanceof Console console) { // not a switch, whose first use loads a lot
        runWithTerminal(runc, command, failures, console);
      } else if (streams instanceof ProcessIo io) {
        runc.run(command.with(Optional.empty()), io.childFds());
        start(io);
      }
    } catch (RuncException e) {
      throw new StatusException(e.code(), e.logged(failures.command()), e);
    }
  }

  private static void runWithTerminal(Runc runc, Command command, Failures failures, Console console)
      throws RuncException, InterruptedException {
    try (ConsoleSocket socket = openSocket(failures)) {
      RuncCommand made = command.with(Optional.of(socket.path()));
      if (made instanceof RuncCommand.Restore) {
        runc.runSilent(made); // what it restores would keep a pipe for its output open
      } else {
        runc.run(made);
      }
      start(console, receive(socket));
    }
  }

  private static ConsoleSocket openSocket(Failures failures) {
    try {
      return ConsoleSocket.open();
    } catch (IOException e) {
      throw new StatusException(Scarcity.code(e), failures.consoleSocket() + ": " + e.getMessage(), e);
    }
  }

  private static Pty receive(ConsoleSocket socket) throws InterruptedException {
    try {
      return socket.receive(Deadline.in(HAND_OVER_WAIT_MAX));
    } catch (IOException e) {
      throw new StatusException(Code.UNKNOWN, "failed to retrieve console master: " + e.getMessage(), e);
    }
  }

  private static void start(ProcessIo io) {
    try {
      io.started();
    } catch (IOException e) {
      throw new StatusException(Scarcity.code(e), "failed to start io pipe copy: " + e.getMessage(), e);
    }
  }

  private static void start(Console console, Pty pty) {
    try {
      console.start(pty);
    } catch (IOException e) {
      throw new StatusException(Code.UNKNOWN, "failed to start console copy: " + e.getMessage(), e);
    }
  }
}
