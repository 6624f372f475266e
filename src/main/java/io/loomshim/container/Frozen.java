package io.loomshim.container;

import io.loomshim.cgroup.Cgroup;
import io.loomshim.cgroup.Freezer;
import io.loomshim.cgroup.Freezer.State;
import io.loomshim.log.Log;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Whether a container stands still. Others freeze it too, by {@code runc pause} for example, so the cgroup is asked;
 * where the runtime does not freeze by the cgroup only we know what we have done. Any thread may ask; one system call.
 */
final class Frozen implements AutoCloseable {
  private final String id;
  private final boolean byCgroup;
  private final AtomicInteger passing = new AtomicInteger(); // commands of ours that freeze it for a moment
  private volatile Optional<Freezer> freezer = Optional.empty();

  /** {@code byCgroup}: whether the runtime freezes by the cgroup. */
  Frozen(String id, boolean byCgroup) {
    this.id = id;
    this.byCgroup = byCgroup;
  }

  /** From now on {@code cgroup} is the container's; to be called once, before its end is waited for. */
  void watch(Optional<Cgroup> cgroup) {
    if (byCgroup && cgroup.isPresent()) {
      freezer = Freezer.of(cgroup.get());
    }
  }

  /** What the cgroup says. */
  State now() {
    Optional<Freezer> known = freezer;
    return known.isPresent() ? known.get().state() : State.UNKNOWN;
  }

  /** The same, but nothing while a command of ours may have frozen it for a moment. */
  State lasting() {
    return passing.get() > 0 ? State.UNKNOWN : now();
  }

  /** A command that may freeze the container for a moment is about to run; {@link #passed} must follow. */
  void passing() {
    passing.incrementAndGet();
  }

  void passed() {
    passing.decrementAndGet();
  }

  /** SIGKILL has been sent: whatever stands still must be able to die of it. */
  void thawToDie() {
    try {
      if (freezer.isPresent()) {
        freezer.get().thawToDie();
      }
    } catch (IOException e) {
      Log.warn("failed to thaw a frozen container so that it can die", "id", id,
          "error", String.valueOf(e.getMessage()));
    }
  }

  @Override
  public void close() {
    freezer.ifPresent(Freezer::close);
  }
}
