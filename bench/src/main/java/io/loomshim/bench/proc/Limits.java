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

  /** Minutes that starting the next containers may take. */
  private static final double MINUTES_MAX = 6;

  /** Below this number of containers the cost of one cannot be told from that of the first. */
  private static final int TELLING = 10;

  private final long availableBefore;
  private final long threadsBefore;
  private long startedAt;
  private double secondsEach;
  private double filesEach;
  private long filesMax = Long.MAX_VALUE;
  private int counted;

  public Limits() throws IOException {
    availableBefore = Proc.available();
    threadsBefore = Proc.threads();
  }

  public void starting() {
    startedAt = System.nanoTime();
  }

  /** {@code count} run now. */
  public void started(int count) {
    secondsEach = (System.nanoTime() - startedAt) / 1e9 / Math.max(1, count - counted);
    counted = count;
  }

  /** What starting one of the last ones has taken, 0 before the first. */
  public double secondsEach() {
    return secondsEach;
  }

  /** These processes serve them. */
  public void seen(Set<Long> shims) throws IOException {
    long shim = shims.iterator().next();
    filesMax = Proc.filesMax(shim);
    filesEach = shims.size() > 1 ? 0 : (double) Proc.files(shim) / counted;
  }

  /** Why {@code count} containers are too many while {@code running} run, or nothing. */
  public String against(int count, int running) throws IOException {
    if (running < TELLING) {
      return "";
    }
    int more = count - running;
    double memory = (double) Math.max(0, availableBefore - Proc.available()) / running * more;
    double threads = (double) Math.max(0, Proc.threads() - threadsBefore) / running * more;
    double threadsLeft = threadsMax() - Proc.threads();
    double minutes = secondsEach * more / 60;
    if (memory > PART * Proc.available()) {
      return "needs %.1f GB more of %.1f GB".formatted(memory / (1L << 30), (double) Proc.available() / (1L << 30));
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
