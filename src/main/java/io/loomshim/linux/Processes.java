package io.loomshim.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** What /proc tells of other processes. Stateless. */
public final class Processes {
  /** Of what follows the name in proc_pid_stat(5): field 22, when the process started. */
  private static final int START_TIME = 19;

  private Processes() {}

  /** Whether the process {@code pid} runs and is the one that started then, in clock ticks since boot. */
  public static boolean lives(String pid, String started) {
    try {
      String stat = Files.readString(Path.of("/proc", pid, "stat"), StandardCharsets.ISO_8859_1);
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      return !fields[0].equals("Z") && !fields[0].equals("X") && fields[START_TIME].equals(started);
    } catch (IOException e) {
      return false;
    }
  }
}
