package io.loomshim.mount;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The version of the running kernel, for messages about what it lacks. */
final class Kernel {
  private Kernel() {}

  /** As {@code uname -r} prints it. */
  static String release() throws IOException {
    return Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip();
  }

  /** Whether {@code release} is older than {@code major.minor}; false for one that cannot be read. Pure. */
  static boolean before(String release, int major, int minor) {
    int dot = release.indexOf('.');
    int first = dot < 0 ? -1 : number(release.substring(0, dot));
    int second = dot < 0 ? -1 : number(release.substring(dot + 1));
    return first >= 0 && second >= 0 && (first < major || first == major && second < minor);
  }

  /** The number that {@code text} begins with, or −1. */
  private static int number(String text) {
    int end = 0;
    while (end < text.length() && end < 9 && Character.isDigit(text.charAt(end))) {
      end++;
    }
    return end == 0 ? -1 : Integer.parseInt(text.substring(0, end));
  }
}
