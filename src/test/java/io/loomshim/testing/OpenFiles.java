package io.loomshim.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** How many descriptors of the kinds that tests of terminals open this process has, by what they are. */
public final class OpenFiles {
  private OpenFiles() {}

  /** A snapshot; what the JVM opens for itself is left out. */
  public static Map<String, Integer> now() {
    var found = new TreeMap<String, Integer>();
    String[] names = Path.of("/proc/self/fd").toFile().list();
    for (String name : names == null ? new String[0] : names) {
      try {
        String target = Files.readSymbolicLink(Path.of("/proc/self/fd", name)).toString();
        String kind = target.startsWith("pipe:") ? "pipe" : target.startsWith("socket:") ? "socket" : target;
        if (!kind.endsWith(".jar") && !kind.endsWith("/modules")) {
          found.merge(kind, 1, Integer::sum);
        }
      } catch (IOException e) {
        // closed meanwhile
      }
    }
    return found;
  }
}
