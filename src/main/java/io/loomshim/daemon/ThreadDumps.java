package io.loomshim.daemon;

import com.sun.management.HotSpotDiagnosticMXBean;
import io.loomshim.log.Log;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import sun.misc.Signal;

/** Writes all threads, virtual ones too, with their stacks into the log when the process gets SIGUSR1. */
final class ThreadDumps {
  private ThreadDumps() {}

  /** Begins to listen to the signal. The dump passes through a file in {@code directory}. */
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
      Log.warn("no thread dump", "error", String.valueOf(e.getMessage()));
    } finally {
      file.toFile().delete();
    }
  }
}
