package io.loomshim.inspect;

import io.loomshim.log.Log;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * What the daemon uses as a process: heap, memory, OS threads, descriptors (proc_pid_status(5)).
 *
 * @param connections how many clients are connected
 */
record ProcessFigures(int connections) {
  private static final int KIB = 1024;

  Map<String, Object> all() {
    Runtime runtime = Runtime.getRuntime();
    return Report.row("heap_used_bytes", runtime.totalMemory() - runtime.freeMemory(), "heap_committed_bytes",
        runtime.totalMemory(), "heap_max_bytes", runtime.maxMemory(), "resident_bytes", status("VmRSS:") * KIB,
        "os_threads", status("Threads:"), "fds", descriptors(), "connections", connections);
  }

  /** The number after {@code name} in /proc/self/status; 0 when it cannot be read. */
  private static long status(String name) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith(name)) {
          return Long.parseLong(line.substring(name.length()).strip().split(" ")[0]);
        }
      }
    } catch (IOException e) {
      Log.debug("no status", "error", e.toString());
    }
    return 0;
  }

  /** The number of open descriptors, without the one that is open while they are counted. */
  private static int descriptors() {
    String[] names = Path.of("/proc/self/fd").toFile().list();
    return names == null ? 0 : names.length - 1;
  }
}
