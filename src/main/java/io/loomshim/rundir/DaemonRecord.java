package io.loomshim.rundir;

import io.loomshim.process.Processes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Names the daemon that takes new containers: one line {@code PID STARTTIME ADDRESS}. It stands in the file
 * {@code daemon} of the run directory, and the daemon prints it once it listens. The launcher reads both
 * ({@code alive} in {@code containerd-shim-loom-v1}, {@code start_daemon} in {@code cold.sh}).
 *
 * @param pid the daemon's process
 * @param startTime when that process started, in clock ticks since boot; a later process with the same pid has another
 * @param socket the path of the socket that it listens on
 */
public record DaemonRecord(long pid, String startTime, Path socket) {
  private static final String SCHEME = "unix://";

  /** Of the socket's name, {@code PID-STARTTIME.sock}. */
  private static final String SUFFIX = ".sock";

  /**
   * The record of this process, for a socket in {@code runDirectory}.
   *
   * @throws IOException when /proc/self/stat cannot be read
   */
  public static DaemonRecord own(Path runDirectory) throws IOException {
    long pid = ProcessHandle.current().pid();
    String startTime = Processes.startTime("self");
    return new DaemonRecord(pid, startTime, runDirectory.resolve(pid + "-" + startTime + SUFFIX));
  }

  /** Parses a line; empty when it is not a record, for example because its writer was killed. */
  public static Optional<DaemonRecord> parse(String line) {
    String[] words = line.strip().split(" ", 3);
    if (words.length < 3 || !words[2].startsWith(SCHEME)) {
      return Optional.empty();
    }
    return of(words[0], words[1], Path.of(words[2].substring(SCHEME.length())));
  }

  /** The daemon that made {@code socket}, read from the socket's name; empty when the name has another form. */
  public static Optional<DaemonRecord> ofSocket(Path socket) {
    String name = socket.getFileName().toString();
    int dash = name.indexOf('-');
    if (dash < 0 || !name.endsWith(SUFFIX)) {
      return Optional.empty();
    }
    return of(name.substring(0, dash), name.substring(dash + 1, name.length() - SUFFIX.length()), socket);
  }

  private static Optional<DaemonRecord> of(String pid, String startTime, Path socket) {
    try {
      return Optional.of(new DaemonRecord(Long.parseLong(pid), startTime, socket));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** Whether the process with this pid and this start time runs. */
  public boolean lives() {
    return Processes.lives(pid, startTime);
  }

  /** The socket as an address for containerd: {@code unix://PATH}. */
  public String address() {
    return SCHEME + socket;
  }

  /** The line, without a line feed. */
  public String line() {
    return pid + " " + startTime + " " + address();
  }
}
