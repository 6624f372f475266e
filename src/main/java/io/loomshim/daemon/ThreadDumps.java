package io.loomshim.daemon;

import com.sun.management.HotSpotDiagnosticMXBean;
import io.loomshim.log.Log;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import sun.misc.Signal;

/** Writes the stacks of all threads, virtual ones included, into the log when the process gets SIGUSR1. */
final class ThreadDumps {
  private ThreadDumps() {}

  /** Installs the signal handler. The JVM writes the dump into a file in {@code directory}, which is removed again. */
  static void onSignal(Path directory) {
    Signal.handle(new Signal("USR1"), signal -> dump(directory.resolve("threads.txt")));
  }

  private static void dump(Path file) {
    try {
      Files.deleteIfExists(file);
      ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
          .dumpThreads(file.toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.TEXT_PLAIN);
      Log.info("=== BEGIN thread stack dump ===");
      for (String line : Files.readAllLines(file)) {
        Log.info(line);
      }
      Log.info("=== END thread stack dump ===");
    } catch (IOException e) {
      Log.warn("failed to write a thread dump", "error", String.valueOf(e.getMessage()));
    } finally {
      file.toFile().delete();
    }
  }
}
