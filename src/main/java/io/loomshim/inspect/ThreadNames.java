package io.loomshim.inspect;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Counts the threads of this JVM, virtual ones included, by container. The name of a thread says which container it
 * serves. The JVM lists virtual threads only in a file.
 *
 * @param total all threads
 * @param ofContainers those that serve a container
 * @param byContainer how many serve each
 * @param problem why they could not be counted; empty if they were
 */
record ThreadNames(int total, int ofContainers, Map<String, Integer> byContainer, String problem) {
  /** Kinds of thread whose second word is the container. */
  private static final Set<String> SECOND = Set.of("exit", "io", "undo", "abandon", "oom");
  /** Kinds of thread whose third word is the container. */
  private static final Set<String> THIRD = Set.of("rpc", "runc");

  /** Counts them, by way of a file in {@code directory} that is removed again. */
  static ThreadNames count(Path directory, Set<String> containers) {
    Path file = directory.resolve("threads-" + System.nanoTime() + ".txt");
    try {
      try {
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
            .dumpThreads(file.toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.TEXT_PLAIN);
        return read(file, containers);
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      return new ThreadNames(0, 0, Map.of(), e.toString());
    }
  }

  private static ThreadNames read(Path file, Set<String> containers) throws IOException {
    var byContainer = new HashMap<String, Integer>();
    int total = 0;
    int ofContainers = 0;
    try (BufferedReader lines = Files.newBufferedReader(file)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith("#")) {
          total++;
          String container = container(name(line));
          if (containers.contains(container)) {
            ofContainers++;
            byContainer.merge(container, 1, Integer::sum);
          }
        }
      }
    }
    return new ThreadNames(total, ofContainers, byContainer, "");
  }

  /** The name in a line such as {@code #23 "exit/web-1" virtual}. */
  static String name(String line) {
    int first = line.indexOf('"');
    int last = line.lastIndexOf('"');
    return first < last ? line.substring(first + 1, last) : "";
  }

  /** The container that a thread of this name serves; empty when it serves the daemon. */
  static String container(String name) {
    String[] words = name.split("/");
    int at = SECOND.contains(words[0]) ? 1 : THIRD.contains(words[0]) ? 2 : words.length;
    return at < words.length ? words[at] : "";
  }
}
