package io.loomshim.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The mount table of this process, proc_pid_mountinfo(5). */
public final class Mounts {
  private Mounts() {}

  /** Mount points at or below {@code path}, in the order in which they were mounted. */
  public static List<String> below(String path) {
    try {
      var found = new ArrayList<String>();
      for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
        String point = line.split(" ")[4];
        if (point.equals(path) || point.startsWith(path + "/")) {
          found.add(point);
        }
      }
      return found;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
