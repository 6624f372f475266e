package io.loomshim.cgroup;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Whether the processes of a cgroup stand still because this cgroup or one above it is frozen (kernel:
 * cgroup-v2.rst, {@code frozen} in {@code cgroup.events}; cgroup-v1/freezer-subsystem.rst, {@code freezer.state}).
 *
 * <p>The file stays open from the first look on: to open it takes ten times as long as to read it. Any thread may look.
 */
public final class Freezer implements AutoCloseable {
  /** What is known. */
  public enum State { RUNS, STILL, UNKNOWN }

  private static final String V1_STATE = "freezer.state";
  private static final String V2_EVENTS = "cgroup.events";

  /** More than either file has. */
  private static final int TEXT_BYTES_MAX = 64;

  private final Path file;
  private final boolean unified;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile Optional<Fd> fd = Optional.empty(); // until the first look
  private boolean closed; // guarded by lock

  private Freezer(Path file, boolean unified) {
    this.file = file;
    this.unified = unified;
  }

  /** That of {@code cgroup}; none where v1 has no freezer. */
  public static Optional<Freezer> of(Cgroup cgroup) {
    boolean unified = cgroup.unifiedOnly();
    Path directory = cgroup.directories().get(unified ? Cgroup.UNIFIED : "freezer");
    return directory == null
        ? Optional.empty()
        : Optional.of(new Freezer(directory.resolve(unified ? V2_EVENTS : V1_STATE), unified));
  }

  /** Never throws: a cgroup that is gone, or a look for which there is no descriptor, leaves it unknown. */
  public State state() {
    try {
      Optional<Fd> open = fd.isPresent() ? fd : open();
      return open.isPresent() ? parse(open.get().textAtStart(TEXT_BYTES_MAX)) : State.UNKNOWN;
    } catch (ErrnoException | IllegalStateException e) { // closed meanwhile
      return State.UNKNOWN;
    }
  }

  private Optional<Fd> open() throws ErrnoException {
    lock.lock();
    try {
      if (fd.isEmpty() && !closed) {
        fd = Optional.of(Fd.open(file.toString(), Fd.O_RDONLY, 0));
      }
      return fd;
    } finally {
      lock.unlock();
    }
  }

  private State parse(String text) {
    if (unified) {
      return text.contains("frozen 1") ? State.STILL : text.contains("frozen 0") ? State.RUNS : State.UNKNOWN;
    }
    return switch (text) {
      case "THAWED\n" -> State.RUNS;
      case "FROZEN\n", "FREEZING\n" -> State.STILL;
      default -> State.UNKNOWN;
    };
  }

  /**
   * Lets them run for a SIGKILL that has been sent: on v1 they do not notice it else. On v2 they do, and nothing is
   * done.
   */
  public void thawToDie() throws IOException {
    if (!unified && state() == State.STILL) {
      Files.writeString(file, "THAWED", StandardOpenOption.WRITE);
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      if (fd.isPresent()) {
        fd.get().close();
      }
    } finally {
      lock.unlock();
    }
  }
}
