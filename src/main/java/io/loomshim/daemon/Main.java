package io.loomshim.daemon;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Starts the daemon. The launcher waits for one line on standard output and for the end of the stream. The line is the
 * daemon's record, once it listens, or {@code error: …}. A daemon that has been started beside another one says instead
 * that it is ready ({@link Readiness}), and begins when the other one ends.
 */
public final class Main {
  private Main() {}

  /** Runs the daemon and ends the JVM. */
  public static void main(String[] args) throws InterruptedException {
    Carriers.reserve();
    Daemon daemon;
    boolean told = false;
    try {
      Arguments arguments = Arguments.parse(args);
      if (arguments.survival().standsBy()) {
        Readiness.check(arguments);
        tell(Readiness.word());
        told = true;
        Readiness.awaitEnd();
      }
      daemon = Daemon.start(arguments, System.getenv().getOrDefault("TTRPC_ADDRESS", ""));
    } catch (IOException | IllegalArgumentException | UnsupportedOperationException | OutOfMemoryError e) {
      fail(e, told);
      return;
    }
    if (!told) {
      tell(daemon.record().line());
    }
    daemon.run();
    Runtime.getRuntime().halt(0); // an orderly exit takes 300 ms once the poller runs
  }

  private static void fail(Throwable why, boolean told) {
    if (told) {
      System.err.println("error: " + why.getMessage()); // nobody reads what it says
    } else {
      tell("error: " + why.getMessage());
    }
    Runtime.getRuntime().halt(1);
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
