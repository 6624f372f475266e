package io.loomshim.linux;

import io.loomshim.log.Log;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Who is responsible for which child process. Every {@link Child} claims its pid; what nobody claims
 * is an orphan that the kernel gave to us as subreaper, and {@link #sweep} reaps those that are zombies.
 *
 * <p>Between the end of a {@code runc create} and the claim of the container's process nobody claims it although
 * somebody is about to; so it is with a program between its start and its claim. Whoever starts one holds
 * {@link #launching} from before the start until after the claim. A zombie that nobody claims is left alone until all
 * have ended that were launching when it was first seen, as only those can have made it. One in the process group of
 * a container's process is not waited with: runtimes take what they make out of the group that they are in themselves.
 * Nor is, for the start of a program, which may take as long as a file system, what has fallen to us: what we start
 * ourselves is a child of the thread that has started it.
 */
public final class Children {
  /** What is claimed, by pid, and whether it is a container's process: one that fell to us. */
  private static final ConcurrentHashMap<Integer, Boolean> CLAIMED = new ConcurrentHashMap<>();

  private static final Set<Launch> LAUNCHES = ConcurrentHashMap.newKeySet();
  private static final AtomicLong LAUNCHED = new AtomicLong();

  /** Zombies that may be somebody's, by pid, with the number of the last launch that can have made them. */
  private static final ConcurrentHashMap<Integer, Long> DEFERRED = new ConcurrentHashMap<>();

  private static final int WNOHANG = 1;
  private static final int WEXITED = 4;
  private static final int WNOWAIT = 0x01000000;
  private static final int P_ALL = 0;
  private static final int P_PID = 1;
  // siginfo_t of 64-bit Linux
  private static final int SIGINFO_BYTES = 128;
  private static final int SIGINFO_PID_OFFSET = 16;
  private static final long WAITID = Native.function("waitid");
  private static final long WAIT4 = Native.function("wait4");
  private static final long KILL = Native.function("kill");
  private static final long GETPGID = Native.function("getpgid");
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
        if (!DEFERRED.isEmpty()) {
          sweep();
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
    CLAIMED.remove(pid);
    DEFERRED.remove(pid);
  }

  /** Sends SIGKILL to a child that has not been reaped, or to the process group that it leads if it is negative. */
  static void kill(int pid) {
    Native.callInt(KILL, pid, Child.SIGKILL, 0, 0, 0, 0);
  }

  /** Kills the child {@code pid}, which was started a moment ago, and reaps it. */
  static void discard(int pid) {
    kill(pid);
    int result;
    do {
      result = Native.callInt(WAIT4, pid, 0, 0, 0, 0, 0);
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

  /** Whether {@code pid} is a child of ours, alive or zombie; one system call (waitid(2)), which reaps nothing. */
  public static boolean ours(int pid) {
    return zombie(P_PID, pid) >= 0;
  }

  /** The first zombie among all our children, or among the one; 0 when there is none, negative without a child. */
  private static int zombie(int which, int pid) {
    try (var arena = new Arena(SIGINFO_BYTES)) {
      long info = arena.bytes(SIGINFO_BYTES);
      int result = Native.callInt(WAITID, which, pid, info, WEXITED | WNOHANG | WNOWAIT, 0, 0);
      return result < 0 ? result : Native.MEMORY.getInt(info + SIGINFO_PID_OFFSET);
    }
  }

  /** The number of processes that are claimed now. */
  public static int claimed() {
    return CLAIMED.size();
  }

  /** Reaps the zombies among our children that nobody claims, nor is about to. Any thread may, several at once. */
  static void sweep() {
    int first = zombie(P_ALL, 0);
    while (first > 0 && reap(first)) {
      first = zombie(P_ALL, 0);
    }
    if (first > 0) { // somebody's, who will take it in his own time: there may be others behind it
      for (int pid : fallen()) {
        reap(pid);
      }
    }
  }

  /** Reaps the child {@code pid} if it is a zombie and nobody's; whether it was. */
  private static boolean reap(int pid) {
    if (CLAIMED.containsKey(pid) || awaited(pid)) {
      return false;
    }
    // a launch ends after its claim: one that has just ended may have claimed it
    int result = CLAIMED.containsKey(pid) ? 0 : Native.callInt(WAIT4, pid, 0, WNOHANG, 0, 0, 0);
    if (result != 0) { // reaped, by us or somebody else: the pid may mean another process soon
      DEFERRED.remove(pid);
    }
    return result == pid;
  }

  /** Whether one of the launches that were under way when {@code pid} was first seen may still claim it. */
  private static boolean awaited(int pid) {
    if (LAUNCHES.isEmpty() || CLAIMED.getOrDefault(Native.callInt(GETPGID, pid, 0, 0, 0, 0, 0), false)) {
      return false;
    }
    DEFERRED.putIfAbsent(pid, LAUNCHED.get()); // before the look: who ends after it sees that and sweeps again
    long last = DEFERRED.getOrDefault(pid, 0L);
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
      collect(Path.of("/proc/self/task/" + LEADER), pids);
      return pids;
    } catch (IOException e) {
      Log.warn("orphans not looked for", "error", String.valueOf(e.getMessage()));
      return Set.of();
    }
  }

  /** The pids of our children, zombies included (proc_pid_task(5), file {@code children}). */
  public static Set<Integer> pids() throws IOException {
    var pids = new HashSet<Integer>();
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path thread : threads) {
        collect(thread, pids);
      }
    }
    return pids;
  }

  private static void collect(Path thread, Set<Integer> pids) throws IOException {
    try {
      for (String pid : Files.readString(thread.resolve("children")).split(" ")) {
        if (!pid.isBlank()) {
          pids.add(Integer.valueOf(pid.strip()));
        }
      }
    } catch (NoSuchFileException e) {
      // the thread has ended since it was listed
    }
  }
}
