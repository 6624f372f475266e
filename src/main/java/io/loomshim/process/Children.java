package io.loomshim.process;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.ProcessCalls;
import io.loomshim.linux.SmallFile;
import io.loomshim.log.Log;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Who is responsible for which child process: a registry of the process, as the kernel has one list of children for
 * all of it. Every {@link Child} claims its pid; what is not claimed is an orphan that the kernel gave to us as
 * subreaper, and {@link #sweep} reaps those that are zombies.
 *
 * <p>The process of a container is not claimed yet between the end of {@code runc create} and its claim; nor is a
 * program between its start and its claim. So {@link #launching} is held from before the start until after the claim. A
 * zombie that is not claimed is left alone until all launches have ended that were under way when it was first seen, as
 * only those can have made it. There are two exceptions. A zombie in the process group of a container's process is
 * reaped at once: runtimes take what they make out of the group that they are in themselves. And the start of a
 * program, which may take as long as a file system, does not keep what has fallen to us: what we start ourselves is a
 * child of the thread that has started it.
 */
public final class Children {
  /** What is claimed, by pid, and whether it is a container's process: one that fell to us. */
  private static final ConcurrentHashMap<Integer, Boolean> CLAIMED = new ConcurrentHashMap<>();

  private static final Set<Launch> LAUNCHES = ConcurrentHashMap.newKeySet();
  private static final AtomicLong LAUNCHED = new AtomicLong();

  /** Zombies that may be claimed yet, by pid, with the number of the last launch that can have made them. */
  private static final ConcurrentHashMap<Integer, Long> DEFERRED = new ConcurrentHashMap<>();

  private static final int LEADER = (int) ProcessHandle.current().pid();

  /** Ends the protection that {@link #launching} gave. */
  public static final class Launch implements AutoCloseable {
    private final long number = LAUNCHED.incrementAndGet();
    private final boolean start;

    private Launch(boolean start) {
      this.start = start;
    }

    @Override
    public void close() {
      LAUNCHES.remove(this);
      try {
        for (int pid : DEFERRED.keySet()) {
          reap(pid);
        }
      } catch (OutOfMemoryError e) {
        // the next signal makes up for it: what the launch has made must not be lost for that
      }
    }
  }

  private Children() {}

  static void claim(int pid, boolean contained) {
    CLAIMED.put(pid, contained);
    DEFERRED.remove(pid);
  }

  static void release(int pid) {
    boolean contained = Boolean.TRUE.equals(CLAIMED.remove(pid));
    DEFERRED.remove(pid);
    if (contained) {
      ExitsMeanwhile.forget(pid);
    }
  }

  /**
   * Sends SIGKILL to a process that the pid means for certain: a child that has not been reaped, or to the group that
   * it leads if it is negative.
   */
  public static void kill(int pid) {
    ProcessCalls.kill(pid, ProcessCalls.SIGKILL);
  }

  /** Kills the child {@code pid}, which was started a moment ago, and reaps it. */
  static void discard(int pid) {
    kill(pid);
    int result;
    do {
      result = ProcessCalls.await(pid);
    } while (result == -Errno.EINTR);
  }

  /** Keeps sweeps away from a process that is not claimed yet and may become our child. */
  public static Launch launching() {
    return begun(new Launch(false));
  }

  /** Keeps them away from what this thread starts, until it has claimed that. */
  static Launch starting() {
    return begun(new Launch(true));
  }

  private static Launch begun(Launch launch) {
    LAUNCHES.add(launch);
    return launch;
  }

  /** Whether {@code pid} is a child of ours, alive or zombie; one system call, which reaps nothing. */
  public static boolean ours(int pid) {
    return ProcessCalls.zombie(pid) >= 0;
  }

  /** Whether {@code pid} is noted as a zombie that may be claimed yet. */
  static boolean deferred(int pid) {
    return DEFERRED.containsKey(pid);
  }

  /** The number of processes that are claimed now. */
  public static int claimed() {
    return CLAIMED.size();
  }

  /** Reaps the zombies among our children that are not claimed, nor about to be. Any thread may, several at once. */
  static void sweep() {
    if (!sweepFirst()) {
      for (int pid : fallen()) { // the pids of all children are read for this, which takes 2 ms for 2000
        reap(pid);
      }
    }
  }

  /**
   * The same up to one that has an owner or may get one, of which the kernel tells before others; false when there is
   * such a one, and others may be behind it. The kernel looks at all children for this, 40 ns each.
   */
  static boolean sweepFirst() {
    int first = ProcessCalls.zombie();
    while (first > 0 && reap(first)) {
      first = ProcessCalls.zombie();
    }
    return first <= 0;
  }

  /** Reaps the child {@code pid} if it is a zombie without an owner; whether it was. */
  static boolean reap(int pid) {
    if (CLAIMED.containsKey(pid) || awaited(pid)) {
      return false;
    }
    // a launch ends after its claim: one that has just ended may have claimed it
    int result = CLAIMED.containsKey(pid) ? 0 : ProcessCalls.reap(pid);
    if (result != 0) { // reaped, by us or another thread: the pid may mean another process soon
      DEFERRED.remove(pid);
    }
    return result == pid;
  }

  /** Whether one of the launches that were under way when {@code pid} was first seen may still claim it. */
  private static boolean awaited(int pid) {
    if (LAUNCHES.isEmpty() || CLAIMED.getOrDefault(ProcessCalls.group(pid), false)) {
      return false;
    }
    long now = LAUNCHED.get();
    Long before = DEFERRED.putIfAbsent(pid, now); // before the look: who ends after it sees that and sweeps again
    if (before == null && !ours(pid)) { // claimed and reaped since it was found
      DEFERRED.remove(pid, now); // else the next process with this pid would be thought to be as old
      return true;
    }
    long last = before == null ? now : before;
    boolean started = false;
    for (Launch launch : LAUNCHES) {
      if (launch.number <= last && !launch.start) {
        return true;
      }
      started |= launch.number <= last;
    }
    return started && !fallen().contains(pid);
  }

  /** What has fallen to us: the kernel makes orphans children of the first thread, which starts nothing itself. */
  private static Set<Integer> fallen() {
    try {
      var pids = new HashSet<Integer>();
      collect("/proc/self/task/" + LEADER, pids);
      return pids;
    } catch (IOException e) {
      Log.warn("failed to look for orphans", "error", String.valueOf(e.getMessage()));
      return Set.of();
    }
  }

  /** The pids of our children, zombies included (proc_pid_task(5), file {@code children}). */
  public static Set<Integer> pids() throws IOException {
    var pids = new HashSet<Integer>();
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path thread : threads) {
        collect(thread.toString(), pids);
      }
    }
    return pids;
  }

  private static void collect(String thread, Set<Integer> pids) throws IOException {
    try {
      String text = SmallFile.text(thread + "/children");
      int at = 0;
      for (int end = text.indexOf(' '); end >= 0; end = text.indexOf(' ', at)) { // one after each
        pids.add(Integer.parseInt(text, at, end, 10));
        at = end + 1;
      }
    } catch (ErrnoException e) {
      if (e.errno() != Errno.ENOENT && e.errno() != Errno.ESRCH) { // else the thread has ended since it was listed
        throw e;
      }
    }
  }
}
