package io.loomshim.cgroup;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.ThreadCalls;
import io.loomshim.log.Log;
import io.loomshim.mount.MountTable;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Begins early the grace period of RCU that the first move of a process into a cgroup waits for, some 10 ms, so that it
 * passes while a runtime starts. Moves of any process that follow within another 15 ms do not wait, in whatever
 * hierarchy: the kernel has one lock for all (cgroup_threadgroup_rwsem, a percpu_rw_semaphore; rcu_sync_enter).
 *
 * <p>A thread writes its own id into the list of threads of the cgroup that it is in, which takes the same lock and
 * moves nothing. A thread and not the process, so that the daemon stays where it is even if it is moved between
 * the look and the write: v2 refuses to move a thread into another domain (EOPNOTSUPP), and on v1 this one alone is
 * moved back, until the next write. With {@code favordynmods} no move waits, and the write costs nothing.
 *
 * <p>A registry of the process, as the lock is one for the machine. {@link #begin} may be called from any thread and
 * never waits; the thread {@code grace} does.
 */
public final class GracePeriod {
  /** More than {@code /proc/PID/cgroup} has with all hierarchies of v1 and long paths. */
  private static final int MEMBERSHIP_BYTES_MAX = 16 << 10;

  /** Writes that fail one after the other, and then it is given up. */
  private static final int FAILURES_MAX = 3;

  private static final AtomicBoolean ASKED = new AtomicBoolean();
  private static final AtomicLong PASSED = new AtomicLong();
  private static volatile Optional<Thread> thread = Optional.empty();

  // Of the thread alone.
  private final byte[] id;
  private final Fd membership;
  private String known = "";
  private Optional<Fd> list = Optional.empty();

  private GracePeriod(byte[] id, Fd membership) {
    this.id = id;
    this.membership = membership;
  }

  /** Makes the thread; to be called once, where the setting says so. Before that {@link #begin} does nothing. */
  public static void prepare() {
    thread = Optional.of(Threads.startPlatform("grace", new Loop()));
  }

  /** A process will be moved into a cgroup within the next 25 ms or so. */
  public static void begin() {
    Optional<Thread> waiting = thread;
    if (waiting.isPresent() && ASKED.compareAndSet(false, true)) {
      LockSupport.unpark(waiting.get());
    }
  }

  /** How many have passed that were begun here. */
  static long passed() {
    return PASSED.get();
  }

  /** Whether none is under way. */
  static boolean idle() {
    return !ASKED.get();
  }

  /** What the thread {@code grace} runs. */
  private static final class Loop implements Runnable {
    @Override
    public void run() {
      try {
        serve();
      } catch (IOException | OutOfMemoryError e) {
        thread = Optional.empty();
        Log.info("early_cgroup_wait has no effect", "error", String.valueOf(e.getMessage()));
      }
    }
  }

  private static void serve() throws IOException {
    byte[] id = Integer.toString(ThreadCalls.id()).getBytes(StandardCharsets.US_ASCII);
    try (Fd membership = Fd.open("/proc/self/cgroup", Fd.O_RDONLY, 0)) {
      var period = new GracePeriod(id, membership);
      period.locate();
      int failures = 0;
      while (true) {
        while (!ASKED.get()) {
          LockSupport.park();
        }
        try {
          period.pass();
          failures = 0;
        } catch (ErrnoException e) {
          period.forget();
          failures += e.scarce() ? 0 : 1;
          if (failures == FAILURES_MAX) {
            throw e;
          }
        }
        ASKED.set(false);
      }
    }
  }

  /** Waits for a grace period, if a move would. */
  private void pass() throws IOException {
    locate();
    list.orElseThrow().tryWrite(id, 0, id.length);
    PASSED.incrementAndGet();
  }

  /** Opens the list of threads of the cgroup that this process is in now. */
  private void locate() throws IOException {
    String now = membership.textAtStart(MEMBERSHIP_BYTES_MAX);
    if (!now.equals(known)) {
      forget();
      list = Optional.of(open(now));
      known = now;
    }
  }

  private void forget() {
    list.ifPresent(Fd::close);
    list = Optional.empty();
    known = "";
  }

  /** The first of the files that may be written. */
  private static Fd open(String membership) throws IOException {
    var failure = new IOException("no mount shows the cgroup of this process");
    for (Path file : OwnThreads.files(membership, MountTable.read())) {
      try {
        return Fd.open(file.toString(), Fd.O_WRONLY, 0);
      } catch (ErrnoException e) {
        failure = e;
      }
    }
    throw failure;
  }
}
