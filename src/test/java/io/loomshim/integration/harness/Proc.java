package io.loomshim.integration.harness;

import io.loomshim.linux.Posix;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import jnr.constants.platform.Signal;

/**
 * What proc(5) tells about processes. Stateless; may be called from any thread. A process that
 * goes away while it is looked at counts as absent.
 */
public final class Proc {
  /** One process; {@code parent} is 0 for what the kernel started, {@code state} as in proc_pid_stat(5). */
  public record Info(long pid, long parent, char state, long startTicks, String name, String commandLine,
      String cgroups, String directory) {
    public boolean zombie() {
      return state == 'Z';
    }

    @Override
    public String toString() {
      String what = commandLine.isEmpty() ? "[" + name + "]" : commandLine;
      return pid + " (parent " + parent + ", " + state + ") " + what;
    }
  }

  /** Ends what {@link #files} tells of a Unix socket that is bound to none. */
  static final String NO_PATH = "without a path";
  /** The flag of a socket that listens, __SO_ACCEPTCON, as proc(5) shows it. */
  private static final String LISTENS = "00010000";

  private Proc() {}

  /** All processes by pid. */
  public static TreeMap<Long, Info> all() {
    var found = new TreeMap<Long, Info>();
    String[] names = Path.of("/proc").toFile().list();
    for (String name : names == null ? new String[0] : names) {
      if (Character.isDigit(name.charAt(0))) {
        long pid = Long.parseLong(name);
        info(pid).ifPresent(info -> found.put(pid, info));
      }
    }
    return found;
  }

  public static Optional<Info> info(long pid) {
    Path directory = Path.of("/proc", Long.toString(pid));
    try {
      String stat = Files.readString(directory.resolve("stat"));
      int open = stat.indexOf('(');
      int close = stat.lastIndexOf(')');
      String[] rest = stat.substring(close + 2).split(" ");
      byte[] raw = Files.readAllBytes(directory.resolve("cmdline"));
      String line = new String(raw, StandardCharsets.UTF_8).replace('\0', ' ').strip();
      return Optional.of(new Info(pid, Long.parseLong(rest[1]), rest[0].charAt(0), Long.parseLong(rest[19]),
          stat.substring(open + 1, close), line, Files.readString(directory.resolve("cgroup")),
          link(directory.resolve("cwd"))));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** With what environment {@code pid} was started; empty for a thread of the kernel, a zombie, one that has gone. */
  public static String environment(long pid) {
    try {
      return Files.readString(Path.of("/proc", Long.toString(pid), "environ"), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  /** True while {@code pid} exists and is not a zombie. */
  public static boolean alive(long pid) {
    return info(pid).filter(info -> !info.zombie()).isPresent();
  }

  /**
   * Whether the JVM may have given a thread that the kernel calls {@code name} a name that begins with {@code
   * beginning}. Of a long one the kernel has the first 15 characters; from JDK 26 on the first 7 and the last 6.
   */
  public static boolean named(String name, String beginning) {
    int cut = name.indexOf("..");
    return name.startsWith(beginning) || cut == 7 && beginning.startsWith(name.substring(0, cut));
  }

  /** The names of the OS threads of {@code pid}, as the kernel keeps them. */
  public static List<String> threads(long pid) {
    return ofThreads(pid, "comm");
  }

  /** What {@code file} says of each OS thread of {@code pid} that is there when it is read, stripped. */
  public static List<String> ofThreads(long pid, String file) {
    var found = new ArrayList<String>();
    Path directory = Path.of("/proc", Long.toString(pid), "task");
    String[] tasks = directory.toFile().list();
    for (String task : tasks == null ? new String[0] : tasks) {
      try {
        found.add(Files.readString(directory.resolve(task).resolve(file)).strip());
      } catch (IOException e) {
        // it has just ended
      }
    }
    return found;
  }

  /** A line for each thread of {@code pid}: its id, name and state, and where in the kernel it is, innermost first. */
  public static List<String> waits(long pid) {
    var lines = new ArrayList<String>();
    Path tasks = Path.of("/proc", Long.toString(pid), "task");
    String[] names = tasks.toFile().list();
    for (String name : names == null ? new String[0] : names) {
      try {
        Path task = tasks.resolve(name);
        String stat = Files.readString(task.resolve("stat"));
        var functions = new ArrayList<String>();
        for (String line : Files.readAllLines(task.resolve("stack"))) {
          functions.add(line.replaceAll("^\\[<.*>\\] |\\+0x.*", ""));
        }
        lines.add(name + " " + stat.substring(stat.indexOf('('), stat.lastIndexOf(')') + 3) + " "
            + String.join(" < ", functions));
      } catch (IOException e) {
        lines.add(name + " " + e);
      }
    }
    return lines;
  }

  /** What each open file descriptor of {@code pid} refers to, as {@code "12 pipe:[4711]"}; sockets with their path. */
  public static List<String> files(long pid) {
    var found = new ArrayList<String>();
    Path directory = Path.of("/proc", Long.toString(pid), "fd");
    String[] names = directory.toFile().list();
    for (String name : names == null ? new String[0] : names) {
      String target = link(directory.resolve(name));
      if (!target.isEmpty()) {
        found.add(name + " " + target + socketPath(target));
      }
    }
    return found;
  }

  /** How many file descriptors {@code pid} has open. */
  public static int fileCount(long pid) {
    String[] names = Path.of("/proc", Long.toString(pid), "fd").toFile().list();
    return names == null ? 0 : names.length;
  }

  /** The paths of Unix sockets that somebody listens on, in this network namespace (unix(7)). */
  static Set<String> listening() {
    var found = new HashSet<String>();
    try {
      for (String[] words : unixSockets()) {
        if (words.length > 7 && words[3].equals(LISTENS)) {
          found.add(words[7]);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }

  /** The lines of /proc/net/unix: number, references, protocol, flags, type, state, inode, path if there is one. */
  private static List<String[]> unixSockets() throws IOException {
    return Files.readAllLines(Path.of("/proc/net/unix")).stream().map(line -> line.trim().split("\\s+")).toList();
  }

  /** For a Unix socket its state and the path that it is bound to, else nothing. */
  private static String socketPath(String file) {
    int bracket = file.indexOf("socket:[");
    if (bracket < 0) {
      return "";
    }
    String inode = file.substring(bracket + "socket:[".length(), file.length() - 1);
    try {
      for (String[] words : unixSockets()) {
        if (words.length > 6 && words[6].equals(inode)) {
          return " state " + words[5] + " " + (words.length > 7 ? words[7] : NO_PATH);
        }
      }
    } catch (IOException e) {
      return " " + e;
    }
    return " of no family that has a path";
  }

  /** The identity of the network namespace of {@code pid}, or an empty string. */
  public static String network(long pid) {
    return link(Path.of("/proc", Long.toString(pid), "ns", "net"));
  }

  /** SIGKILL for exactly this process; nothing happens when it is gone. */
  public static void kill(long pid) {
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
  }

  /** SIGTERM for exactly this process. */
  public static void terminate(long pid) {
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
  }

  /** Sends a signal by its name to exactly this process, which exists. */
  public static void signal(long pid, String name) {
    try {
      Posix.check("kill " + pid, Posix.CALLS.kill((int) pid, Signal.valueOf("SIG" + name).intValue()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What descriptor {@code number} of {@code pid} refers to, or an empty string. */
  public static String file(long pid, int number) {
    return link(Path.of("/proc", Long.toString(pid), "fd", Integer.toString(number)));
  }

  /** A file of the cgroup that {@code pid} is in: of the controller's hierarchy, or of the only one. */
  public static String cgroupFile(long pid, String controller, String file) {
    try {
      boolean unified = Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers"));
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/cgroup"))) {
        String[] parts = line.split(":", 3);
        if (unified ? parts[1].isEmpty() : List.of(parts[1].split(",")).contains(controller)) {
          return Files.readString(Path.of("/sys/fs/cgroup/" + (unified ? "" : controller) + parts[2], file)).strip();
        }
      }
      throw new AssertionError("process " + pid + " is in no cgroup of " + controller);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String link(Path path) {
    try {
      return Files.readSymbolicLink(path).toString();
    } catch (IOException e) {
      return "";
    }
  }
}
