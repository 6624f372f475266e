package io.loomshim.linux;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Who is responsible for which child process. Every {@link Child} claims its pid; what nobody claims
 * is an orphan of a container without a pid namespace that the kernel gave to us as subreaper, and
 * {@link #sweep} reaps those that are zombies.
 *
 * <p>Between the end of a {@code runc create} and the claim of the container's process nobody claims
 * it although somebody is about to. Whoever starts such a command holds {@link #launching} from before
 * the start until after the claim, and a sweep does nothing meanwhile.
 */
public final class Children {
  private static final Set<Integer> CLAIMED = ConcurrentHashMap.newKeySet();
  private static final ReentrantReadWriteLock LAUNCHES = new ReentrantReadWriteLock();
  private static final int WNOHANG = 1;
  private static final int WEXITED = 4;
  private static final int WNOWAIT = 0x01000000;
  private static final int P_ALL = 0;
  // siginfo_t of 64-bit Linux
  private static final int SIGINFO_BYTES = 128;
  private static final int SIGINFO_PID_OFFSET = 16;
  private static final long WAITID = Native.function("waitid");
  private static final long WAIT4 = Native.function("wait4");
  private static final long KILL = Native.function("kill");

  /** Ends the protection that {@link #launching} gave; to be closed by the same thread. */
  public interface Launch extends AutoCloseable {
    @Override
    void close();
  }

  private Children() {}

  static void claim(int pid) {
    CLAIMED.add(pid);
  }

  static void release(int pid) {
    CLAIMED.remove(pid);
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

  /** Keeps sweeps away while a process that is not claimed yet may become our child. */
  public static Launch launching() {
    LAUNCHES.readLock().lock();
    return LAUNCHES.readLock()::unlock;
  }

  /**
   * Whether the first zombie among our children, if there is one, is nobody's. It may be about to be claimed. One
   * system call (waitid(2)), which reaps nothing.
   */
  static boolean strayZombie() {
    try (var arena = new Arena(SIGINFO_BYTES)) {
      long info = arena.bytes(SIGINFO_BYTES);
      int result = Native.callInt(WAITID, P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT, 0, 0);
      int pid = result == 0 ? Native.MEMORY.getInt(info + SIGINFO_PID_OFFSET) : 0;
      return pid > 0 && !CLAIMED.contains(pid);
    }
  }

  /** The number of processes that are claimed now. */
  public static int claimed() {
    return CLAIMED.size();
  }

  /**
   * Reaps the zombies among our children that nobody claims. Does nothing while a launch is under way.
   *
   * @return how many were reaped; empty when nothing was done
   */
  public static OptionalInt sweep() throws IOException {
    if (!LAUNCHES.writeLock().tryLock()) {
      return OptionalInt.empty();
    }
    try {
      int reaped = 0;
      for (int pid : pids()) {
        if (!CLAIMED.contains(pid) && Native.callInt(WAIT4, pid, 0, WNOHANG, 0, 0, 0) == pid) {
          reaped++;
        }
      }
      return OptionalInt.of(reaped);
    } finally {
      LAUNCHES.writeLock().unlock();
    }
  }

  /** The pids of our children, zombies included (proc_pid_task(5), file {@code children}). */
  public static Set<Integer> pids() throws IOException {
    var pids = new HashSet<Integer>();
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path thread : threads) {
        for (String pid : words(thread.resolve("children"))) {
          pids.add(Integer.parseInt(pid));
        }
      }
    }
    return pids;
  }

  private static List<String> words(Path file) throws IOException {
    var words = new ArrayList<String>();
    try {
      for (String word : Files.readString(file).split(" ")) {
        if (!word.isBlank()) {
          words.add(word.strip());
        }
      }
    } catch (NoSuchFileException e) {
      // the thread has ended since it was listed
    }
    return words;
  }
}
