package io.loomshim.process;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.ExitInfo;
import io.loomshim.linux.Fd;
import io.loomshim.linux.KernelTable;
import io.loomshim.linux.ProcessConnector;
import io.loomshim.log.Log;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * How processes of containers end while no daemon is their parent, on kernels whose pidfds do not tell: the kernel
 * itself writes it into a table that outlives the daemon. A registry of the process, as {@link Children}; without the
 * setting {@code take_over}, and where pidfds tell, it is empty and costs nothing. Any thread may use it.
 */
public final class ExitsMeanwhile {
  /** Containers and execs of one daemon at a time; the kernel takes 16 bytes for each. */
  private static final int PROCESSES_MAX = 8192;

  /** A property of the JVM that has pidfds not asked, on any kernel; for tests. */
  private static final boolean FORCED = Boolean.getBoolean("loomshim.connector");

  private static final AtomicBoolean TOLD = new AtomicBoolean();

  private static volatile Optional<ProcessConnector> connector = Optional.empty();

  private ExitsMeanwhile() {}

  /**
   * Begins; to be called once, before there is a container.
   *
   * @return what the next daemon must have to {@link #resume}, which stays this class's; nothing where pidfds tell, or
   *     where nothing does
   */
  public static List<Fd> begin() {
    if (ExitInfo.told() && !FORCED) {
      return List.of();
    }
    try {
      ProcessConnector listening = ProcessConnector.listen(PROCESSES_MAX);
      connector = Optional.of(listening);
      return List.of(listening.socket(), listening.table().fd());
    } catch (ErrnoException e) {
      Log.warn("containers that end while no daemon runs will have the status 255", "reason", e.getMessage());
      return List.of();
    }
  }

  /** Goes on with what an earlier daemon has begun, which this takes ownership of. */
  public static void resume(List<Fd> fds) {
    connector = Optional.of(new ProcessConnector(fds.get(0), new KernelTable(fds.get(1))));
  }

  /** This daemon ends, and no one takes over. */
  public static void end() {
    Optional<ProcessConnector> known = connector;
    connector = Optional.empty();
    if (known.isPresent()) {
      known.get().ignore();
    }
  }

  /** From now on the end of {@code pid} is written down, also if it has ended and has not been reaped. */
  static void watch(int pid, Fd pidfd) {
    Optional<ProcessConnector> known = connector;
    if (known.isEmpty()) {
      return;
    }
    try {
      known.get().table().put(pid, 0);
      OptionalInt status = pidfd.ready() ? Processes.zombieStatus(pid) : OptionalInt.empty();
      if (status.isPresent()) {
        known.get().put(pid, status.getAsInt());
      }
    } catch (ErrnoException | OutOfMemoryError e) {
      if (!TOLD.getAndSet(true)) {
        Log.warn("a container that ends while no daemon runs will have the status 255", "pid", Integer.toString(pid),
            "reason", String.valueOf(e.getMessage()));
      }
    }
  }

  /** It has been reaped, and what is to be known of it is. */
  static void forget(int pid) {
    Optional<ProcessConnector> known = connector;
    if (known.isPresent()) {
      try {
        known.get().table().remove(pid);
      } catch (ErrnoException | OutOfMemoryError e) {
        // it takes room in the table; a process of the same pid has the place anew
      }
    }
  }

  /** The status word of a process whose pidfd can be read; nothing when it has not been told yet. */
  static OptionalInt of(int pid, Fd pidfd) throws ErrnoException {
    Optional<ProcessConnector> known = connector;
    if (known.isPresent() && known.get().table().get(pid).isPresent()) {
      return known.get().status(pid);
    }
    return FORCED ? OptionalInt.empty() : ExitInfo.of(pidfd);
  }
}
