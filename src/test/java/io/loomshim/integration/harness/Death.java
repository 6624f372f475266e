package io.loomshim.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The death of a daemon by SIGKILL, and the holder that starts the next one. Stateless. */
final class Death {
  private Death() {}

  /** What happens while there is no daemon. */
  interface Meanwhile<E extends Exception> {
    void run() throws E;
  }

  /** Kills the daemon {@code pid}, and returns when it is dead. */
  static void of(long pid) {
    Proc.kill(pid);
    Await.until("the daemon is dead", () -> !Proc.alive(pid));
  }

  /** The same; {@code meanwhile} is done before {@code holder} starts the next daemon. */
  static <E extends Exception> void of(long pid, long holder, Meanwhile<E> meanwhile) throws E {
    Proc.signal(holder, "STOP");
    try {
      of(pid);
      meanwhile.run();
    } finally {
      Proc.signal(holder, "CONT");
    }
  }

  /** The pid of the holder of the daemon with this run directory. */
  static long holder(Path directory) {
    try {
      return Long.parseLong(Files.readString(directory.resolve("holder")).split(" ")[0]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
