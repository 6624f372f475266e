package io.loomshim.shelf;

import io.loomshim.linux.Fd;
import io.loomshim.linux.ProcessCalls;
import io.loomshim.process.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The holder of a daemon that has handed over to this one: until this daemon has a {@link Holder} of its own it is the
 * one that starts the next daemon, of the build before. One thread uses this.
 */
public final class HolderBefore {
  private final Optional<Fd> process;
  private final Fd pipe;

  private HolderBefore(Optional<Fd> process, Fd pipe) {
    this.process = process;
    this.pipe = pipe;
  }

  /**
   * Finds it.
   *
   * @param directory the run directory, where it has left its name
   * @param pipe the number of the descriptor that keeps it from doing anything
   */
  public static HolderBefore in(Path directory, int pipe) throws IOException {
    try (var inherited = new Fd(pipe)) { // not closed on exec; what this program starts must not have it
      return new HolderBefore(process(directory), inherited.duplicate());
    }
  }

  private static Optional<Fd> process(Path directory) {
    try {
      String[] words = Files.readString(directory.resolve(Holder.FILE)).strip().split(" ");
      int pid = Integer.parseInt(words[0]);
      Fd pidfd = ProcessCalls.openPidfd(pid);
      if (words.length == 2 && Processes.lives(pid, words[1])) {
        return Optional.of(pidfd);
      }
      pidfd.close();
    } catch (IOException | NumberFormatException e) {
      // it has ended
    }
    return Optional.empty();
  }

  /** Ends it. */
  public void end() {
    if (process.isPresent()) {
      Holder.kill(process.get());
      process.get().close();
    }
    pipe.close(); // last, as it would start a daemon
  }
}
