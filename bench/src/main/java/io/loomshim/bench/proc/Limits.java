package io.loomshim.bench.proc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/**
 * Whether the machine has room for more containers of one side, told from what those that run already take. Errs on
 * the careful side: a machine that runs out of memory or of process numbers harms others than us.
 */
public final class Limits {
  /** Of what is left, at most this part is taken. */
  private static final double PART = 0.7;

  /** Minutes that starting the next containers may take: {@code bench.sh --minutes}. */
  private static final double MINUTES_MAX = Integer.getInteger("loomshim.bench.minutes", 6);

  /** Below this number of containers the cost of one cannot be told from that of the first. */
  private static final int TELLING = 10;

  /** What the machine has: bytes of memory, and threads, which run and which there may be. */
  record Room(long available, long threads, long threadsMax) {
    static Room now() throws IOException {
      return new Room(Proc.available(), Proc.threads(), Limits.threadsMax());
    }
  }

  private final Room before;
  private long startedAt;
  private double secondsEach;
  private double filesEach;
  private long filesMax = Long.MAX_VALUE;
  private int counted;

  public Limits() throws IOException {
    this(Room.now());
  }

  Limits(Room before) {
    this.before = before;
  }

  public void starting() {
    startedAt = System.nanoTime();
  }

  /** {@code count} run now. */
  public void started(int count) {
    started(count, (System.nanoTime() - startedAt) / 1e9);
  }

  void started(int count, double seconds) {
    secondsEach = seconds / Math.max(1, count - counted);
    counted = count;
  }

  /** What starting one of the last ones has taken, 0 before the first. */
  public double secondsEach() {
    return secondsEach;
  }

  /** These processes serve them. */
  public void seen(Set<Long> shims) throws IOException {
    long shim = shims.iterator().next();
    seen(shims.size(), Proc.files(shim), Proc.filesMax(shim));
  }

  /** Each of these processes serves as many of them, of a side of its own: the one with the most open files counts. */
  public void seenOfSides(Set<Long> shims) throws IOException {
    int files = -1;
    for (long shim : shims) {
      int open = Proc.files(shim);
      if (open > files) {
        files = open;
        seen(1, open, Proc.filesMax(shim));
      }
    }
  }

  void seen(int shims, int files, long max) {
    filesMax = max;
    filesEach = shims > 1 ? 0 : (double) files / counted;
  }

  /** Why {@code count} containers are too many while {@code running} run, or nothing. */
  public String against(int count, int running) throws IOException {
    return running < TELLING ? "" : against(count, running, Room.now());
  }

  String against(int count, int running, Room now) {
    int more = count - running;
    double memory = (double) Math.max(0, before.available() - now.available()) / running * more;
    double threads = (double) Math.max(0, now.threads() - before.threads()) / running * more;
    double threadsLeft = now.threadsMax() - now.threads();
    double minutes = secondsEach * more / 60;
    if (memory > PART * now.available()) {
      return "needs %.1f GB more of %.1f GB".formatted(memory / (1L << 30), (double) now.available() / (1L << 30));
    }
    if (threads > PART * threadsLeft) {
      return "needs %.0f threads more of %.0f".formatted(threads, threadsLeft);
    }
    if (filesEach * count > PART * filesMax) {
      return "needs %.0f open files of %d".formatted(filesEach * count, filesMax);
    }
    if (minutes > MINUTES_MAX) {
      return "would take %.0f minutes to start".formatted(minutes);
    }
    return "";
  }

  /** The smallest of the limits of the kernel and of the cgroup that we are in. */
  private static long threadsMax() throws IOException {
    long max = Math.min(Proc.number(Path.of("/proc/sys/kernel/pid_max"), ""),
        Proc.number(Path.of("/proc/sys/kernel/threads-max"), ""));
    for (String line : Files.readAllLines(Path.of("/proc/self/cgroup"))) {
      String[] parts = line.split(":", 3);
      boolean v2 = parts[1].isEmpty();
      if (v2 || parts[1].equals("pids")) {
        Path root = Path.of(v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids");
        for (Path at = root.resolve(parts[2].substring(1)); at.startsWith(root); at = at.getParent()) {
          Path file = at.resolve("pids.max");
          String value = Files.exists(file) ? Files.readString(file).strip() : "max";
          max = value.equals("max") ? max : Math.min(max, Long.parseLong(value));
        }
      }
    }
    return max;
  }
}
