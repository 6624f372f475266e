package io.loomshim.bench.proc;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** What /proc tells of processes (proc(5)). All files are read at the moment of the call. */
public final class Proc {
  /** Clock ticks a second in {@code stat}; fixed at 100 for user space on every Linux architecture we run on. */
  private static final double TICKS = 100;

  /** Fields of {@code stat} after the name in parentheses: state is the first. */
  private static final int UTIME = 11;

  private Proc() {}

  /** Processor seconds of a process: its own, and those of its children that it has waited for. */
  public record Cpu(double own, double children) {
    public double all() {
      return own + children;
    }

    public Cpu since(Cpu before) {
      return new Cpu(own - before.own, children - before.children);
    }

    Cpu plus(Cpu other) {
      return new Cpu(own + other.own, children + other.children);
    }
  }

  /** What a thread has used: nanoseconds on a processor, and how often it left one. */
  record Run(long nanos, long switches) {}

  public static Cpu cpu(long pid) throws IOException {
    String stat = Files.readString(path(pid, "stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    double own = Long.parseLong(fields[UTIME]) + Long.parseLong(fields[UTIME + 1]);
    double children = Long.parseLong(fields[UTIME + 2]) + Long.parseLong(fields[UTIME + 3]);
    return new Cpu(own / TICKS, children / TICKS);
  }

  /** The number behind {@code key} in a file of a process, such as {@code VmRSS:} in {@code status}. */
  public static long number(long pid, String file, String key) throws IOException {
    return number(path(pid, file), key);
  }

  /** The first number behind {@code key} in a file. */
  public static long number(Path file, String key) throws IOException {
    for (String line : Files.readAllLines(file)) {
      if (line.startsWith(key)) {
        return Long.parseLong(line.substring(key.length()).strip().split("\\s+")[0]);
      }
    }
    throw new IOException("no " + key + " in " + file);
  }

  public static int files(long pid) throws IOException {
    int count = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(path(pid, "fd"))) {
      for (Path file : files) {
        assert file != null;
        count++;
      }
    }
    return count;
  }

  /** The threads of a process by their id. */
  static Map<String, Run> threads(long pid) throws IOException {
    var runs = new HashMap<String, Run>();
    try (DirectoryStream<Path> tasks = Files.newDirectoryStream(path(pid, "task"))) {
      for (Path task : tasks) {
        try {
          long nanos = Long.parseLong(Files.readString(task.resolve("schedstat")).split(" ")[0]);
          long switches = number(task.resolve("status"), "voluntary_ctxt_switches:")
              + number(task.resolve("status"), "nonvoluntary_ctxt_switches:");
          runs.put(task.getFileName().toString(), new Run(nanos, switches));
        } catch (IOException e) {
          if (Files.exists(task)) {
            throw e;
          }
          // it has ended meanwhile
        }
      }
    }
    return runs;
  }

  /** The soft limit of open files of a process. */
  static long filesMax(long pid) throws IOException {
    return number(pid, "limits", "Max open files");
  }

  /** Threads on the whole machine. */
  static long threads() throws IOException {
    return Long.parseLong(Files.readString(Path.of("/proc/loadavg")).split(" ")[3].split("/")[1]);
  }

  /** Processor seconds of the whole machine that were not idle. */
  public static double busy() throws IOException {
    String[] fields = Files.readAllLines(Path.of("/proc/stat")).getFirst().split("\\s+");
    // user nice system idle iowait irq softirq
    long ticks = 0;
    for (int i : new int[] {1, 2, 3, 6, 7}) {
      ticks += Long.parseLong(fields[i]);
    }
    return ticks / TICKS;
  }

  /** Context switches of the whole machine since it was started. */
  public static long switches() throws IOException {
    return number(Path.of("/proc/stat"), "ctxt");
  }

  /** Memory that can be had without swapping, in bytes. */
  static long available() throws IOException {
    return number(Path.of("/proc/meminfo"), "MemAvailable:") << 10;
  }

  /** Whether a process runs; one that has ended and waits to be waited for does not. */
  public static boolean alive(long pid) throws IOException {
    Path stat = path(pid, "stat");
    try {
      String text = Files.readString(stat);
      return "ZX".indexOf(text.charAt(text.lastIndexOf(')') + 2)) < 0;
    } catch (IOException e) {
      return Files.exists(stat);
    }
  }

  public static long parent(long pid) throws IOException {
    return number(pid, "status", "PPid:");
  }

  private static Path path(long pid, String file) {
    return Path.of("/proc/" + pid, file);
  }
}
