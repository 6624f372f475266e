package io.loomshim.process;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalInt;

/** What /proc tells of other processes. Stateless. */
public final class Processes {
  /** Of what follows the name in proc_pid_stat(5): field 22, when the process started. */
  private static final int START_TIME = 19;
  private static final int EXIT_CODE = 49; // field 52, likewise
  private static final int TICK_MILLIS = 10; // in which /proc counts, on any machine (proc_uptime(5), USER_HZ)

  private Processes() {}

  /** Whether the process {@code pid} runs and is the one that started then, in clock ticks since boot. */
  public static boolean lives(long pid, String started) {
    try {
      String[] fields = stat(Long.toString(pid));
      return !fields[0].equals("Z") && !fields[0].equals("X") && fields[START_TIME].equals(started);
    } catch (IOException e) {
      return false;
    }
  }

  /** When the process {@code pid} started, or this one for {@code self}, in clock ticks since boot. */
  public static String startTime(String pid) throws IOException {
    return stat(pid)[START_TIME];
  }

  /** How long ago the process {@code pid} started; nothing when it is gone. */
  public static Duration age(int pid) {
    try {
      String uptime = Files.readString(Path.of("/proc/uptime"), StandardCharsets.ISO_8859_1);
      long now = Long.parseLong(uptime.substring(0, uptime.indexOf(' ')).replace(".", "")); // in hundredths of a second
      return Duration.ofMillis((now - Long.parseLong(startTime(Integer.toString(pid)))) * TICK_MILLIS);
    } catch (IOException | NumberFormatException e) {
      return Duration.ZERO;
    }
  }

  /**
   * The status word of {@code pid} if that is a zombie (field 52 of proc_pid_stat(5)); only for one whose pidfd tells
   * that it has ended. A pid that means another process by now is no zombie but for a moment.
   */
  static OptionalInt zombieStatus(int pid) {
    try {
      String[] fields = stat(Integer.toString(pid));
      return fields[0].equals("Z") && fields.length > EXIT_CODE ? OptionalInt.of(Integer.parseInt(fields[EXIT_CODE]))
          : OptionalInt.empty();
    } catch (IOException | NumberFormatException e) {
      return OptionalInt.empty();
    }
  }

  /** What the process {@code pid} is called: the program, 15 bytes of it, or what it has said. */
  public static String name(int pid) throws IOException {
    String stat = text(Integer.toString(pid));
    return stat.substring(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  }

  private static String text(String pid) throws IOException {
    return Files.readString(Path.of("/proc", pid, "stat"), StandardCharsets.ISO_8859_1);
  }

  /** What follows the name. */
  private static String[] stat(String pid) throws IOException {
    String stat = text(pid);
    return stat.substring(stat.lastIndexOf(')') + 2).strip().split(" "); // the last one ends with a line feed
  }
}
