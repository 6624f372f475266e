package io.loomshim.bench.soak;

import io.loomshim.bench.proc.Proc;
import io.loomshim.bench.site.Site;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * What a daemon holds while nothing is under way.
 *
 * @param heapMb what is reachable after a full collection
 * @param pssMb the daemon's share of memory, heap, code and native memory
 * @param zombies children that have ended and were not waited for
 * @param mounts below the scope directory, in its mount namespace
 * @param cgroups below the parent of all its containers, over all hierarchies
 */
record SoakSample(int cycles, long seconds, int files, long threads, double heapMb, double pssMb, double rssMb,
    int zombies, int mounts, int cgroups) {
  static final String HEADER = "cycles,seconds,files,threads,heap_mb,pss_mb,rss_mb,zombies,mounts,cgroups";

  /** The last replies are on their way, and the connections of the last cycle are being closed. */
  private static final int SETTLE_MILLIS_MAX = 5000;

  static SoakSample take(Site site, Path java, long daemon, int cycles, long seconds)
      throws IOException, InterruptedException {
    double heap = liveBytes(site, java, daemon) / 1048576.0;
    return new SoakSample(cycles, seconds, settledFiles(daemon), Proc.number(daemon, "status", "Threads:"), heap,
        Proc.number(daemon, "smaps_rollup", "Pss:") / 1024.0, Proc.number(daemon, "status", "VmRSS:") / 1024.0,
        zombies(daemon), mounts(site, daemon), cgroups(site.scope().getFileName().toString()));
  }

  private static int mounts(Site site, long daemon) throws IOException {
    int count = 0;
    for (String line : Files.readAllLines(Path.of("/proc/" + daemon + "/mountinfo"))) {
      count += line.contains(site.scope() + "/") ? 1 : 0;
    }
    return count;
  }

  /** A histogram of classes collects all garbage first; its last line is {@code Total INSTANCES BYTES}. */
  private static double liveBytes(Site site, Path java, long daemon) throws IOException, InterruptedException {
    String jcmd = java.resolveSibling("jcmd").toString();
    String text = site.command().output(List.of(jcmd, Long.toString(daemon), "GC.class_histogram"));
    for (String line : text.lines().toList()) {
      String[] words = line.strip().split("\\s+");
      if (words.length == 3 && words[0].equals("Total")) {
        return Double.parseDouble(words[2]);
      }
    }
    throw new IOException("no total in " + text);
  }

  private static int settledFiles(long daemon) throws IOException, InterruptedException {
    int lowest = Integer.MAX_VALUE;
    for (int waited = 0; waited < SETTLE_MILLIS_MAX; waited += 250) {
      int now = Proc.files(daemon);
      if (now == lowest) {
        return now;
      }
      lowest = Math.min(lowest, now);
      TimeUnit.MILLISECONDS.sleep(250);
    }
    return lowest;
  }

  private static int zombies(long daemon) throws IOException {
    int count = 0;
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : processes) {
        try {
          String stat = Files.readString(process.resolve("stat"));
          String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
          count += fields[0].equals("Z") && Long.parseLong(fields[1]) == daemon ? 1 : 0;
        } catch (IOException e) {
          // it has gone
        }
      }
    }
    return count;
  }

  private static int cgroups(String namespace) throws IOException {
    int count = 0;
    try (DirectoryStream<Path> roots = Files.newDirectoryStream(Path.of("/sys/fs/cgroup"))) {
      for (Path root : roots) {
        count += directories(root.resolve(namespace));
      }
    }
    return count + directories(Path.of("/sys/fs/cgroup", namespace));
  }

  private static int directories(Path parent) throws IOException {
    int count = 0;
    if (Files.isDirectory(parent)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(parent, Files::isDirectory)) {
        for (Path entry : entries) {
          count += entry.getNameCount() > 0 ? 1 : 0;
        }
      }
    }
    return count;
  }

  String line() {
    return String.format(Locale.ROOT, "%d,%d,%d,%d,%.2f,%.1f,%.1f,%d,%d,%d", cycles, seconds, files, threads, heapMb,
        pssMb, rssMb, zombies, mounts, cgroups);
  }
}
