package io.loomshim.daemon;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Starts the daemon. The launcher waits for one line on standard output and for the end of the stream. The line is the
 * daemon's record, once it listens, or {@code error: …}.
 */
public final class Main {
  private Main() {}

  /** Runs the daemon and ends the JVM. */
  public static void main(String[] args) throws InterruptedException {
    Carriers.reserve();
    Daemon daemon;
    try {
      daemon = Daemon.start(Arguments.parse(args), System.getenv().getOrDefault("TTRPC_ADDRESS", ""));
    } catch (IOException | IllegalArgumentException | UnsupportedOperationException | OutOfMemoryError e) {
      tell("error: " + e.getMessage());
      Runtime.getRuntime().halt(1);
      return;
    }
    tell(daemon.record().line());
    daemon.run();
    Runtime.getRuntime().halt(0); // an orderly exit takes 300 ms once the poller runs
  }

  /** Writes the line and closes standard output; the JDK puts /dev/null in its place. */
  private static void tell(String line) {
    try (var out = new FileOutputStream(FileDescriptor.out)) {
      out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // the launcher was killed; the next one finds this daemon by its record
    }
  }
}
