package io.loomshim.integration.harness;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What a daemon holds at a moment: open descriptors, threads that it has started, and the bytes that are reachable
 * after a full collection. Immutable; the tests ask from their own thread.
 */
public record Vitals(long pid, int files, int threads, long heapBytes) {
  /** Counters, names of threads and a few classes' fields move by some kilobytes whatever happens. */
  private static final long HEAP_BYTES_MORE_MAX = 1 << 20;
  /** The connection for events comes and goes; a jcmd leaves a socket. */
  private static final int FILES_MORE_MAX = 3;
  private static final Duration JCMD_MAX = Await.seconds(30);
  private static final Duration SETTLE_MAX = Await.seconds(20);

  public static Vitals of(long pid) {
    long heap = liveBytes(pid);
    var threads = new LeftOvers.Daemon(List.of(), Proc.threads(pid)).started();
    return new Vitals(pid, Proc.fileCount(pid), threads.values().stream().mapToInt(n -> n).sum(), heap);
  }

  /** Fails unless the daemon soon holds no more than it did then. */
  public void assertKept() {
    if (!Await.within(SETTLE_MAX, () -> of(pid).noMoreThan(this))) {
      throw new AssertionError("held " + this + ", holds " + of(pid));
    }
  }

  private boolean noMoreThan(Vitals before) {
    return files <= before.files + FILES_MORE_MAX && threads <= before.threads
        && heapBytes <= before.heapBytes + HEAP_BYTES_MORE_MAX;
  }

  /** A histogram of classes collects all garbage first; its last line is {@code Total INSTANCES BYTES}. */
  public static long liveBytes(long pid) {
    var command = List.of(Install.jdk() + "/bin/jcmd", Long.toString(pid), "GC.class_histogram");
    String text = Exec.start(Scratch.BASE, new Exec.Setting(Scratch.BASE, Map.of()), command).await(JCMD_MAX).ok()
        .text();
    for (String line : text.lines().toList()) {
      String[] words = line.strip().split("\\s+");
      if (words.length == 3 && words[0].equals("Total")) {
        return Long.parseLong(words[2]);
      }
    }
    throw new AssertionError("no total in " + text);
  }
}
