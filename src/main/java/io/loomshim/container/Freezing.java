package io.loomshim.container;

import io.loomshim.cgroup.Cgroup;
import io.loomshim.errors.StatusException;
import io.loomshim.log.Log;
import io.loomshim.runc.RuncException;
import java.io.IOException;
import java.util.Optional;

/**
 * Freezes and thaws the processes of a container, and sees to it that they are frozen when its state says so and only
 * then, after a command that was killed or has failed: runc may have frozen or thawed them by then, and CRIU thaws a
 * paused container while it saves it. Called with the container's {@code operations} lock held; what undoes something
 * runs on a thread that nobody interrupts, for which the caller waits.
 */
final class Freezing {
  /** Whoever has the state; is told what the processes are after a command that has failed. */
  interface Listener {
    void found(boolean frozen);
  }

  private final String id;
  private final InRunc container;
  private final OutOfMemory memory;
  private final Listener listener;
  private volatile boolean perhapsFrozen; // from the beginning of a pause until it is known what became of it

  Freezing(String id, InRunc container, OutOfMemory memory, Listener listener) {
    this.id = id;
    this.container = container;
    this.memory = memory;
    this.listener = listener;
  }

  /** Whether they may be frozen although the state does not say so. */
  boolean perhapsFrozen() {
    return perhapsFrozen;
  }

  /** What the kernel says; empty when it does not tell. */
  Optional<Boolean> frozen() {
    Optional<Cgroup> cgroup = memory.cgroup();
    try {
      return cgroup.isEmpty() ? Optional.empty() : cgroup.get().frozen();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Whether the kernel says that they run. */
  boolean thawed() {
    Optional<Boolean> frozen = frozen();
    return frozen.isPresent() && !frozen.get();
  }

  void freeze() throws InterruptedException {
    perhapsFrozen = true;
    container.pause();
  }

  void thaw() throws InterruptedException {
    container.resume();
    perhapsFrozen = false;
  }

  /**
   * After a {@link #freeze} that has failed: a runc that was killed or has crashed may have done it. Where the kernel
   * does not tell, one that has refused has not.
   */
  void undoFreeze(Exception failure) {
    if (frozen().isPresent()) {
      settle(Optional.of(false));
    } else if (failure.getCause() instanceof RuncException e && e.explained()) {
      perhapsFrozen = false;
    } else {
      Cleanup.run("undo/" + id, this::thaw);
    }
  }

  /**
   * After a command that has failed: they are frozen again, or not, as they were {@code before}; the listener is told
   * what they are then, which is something else where that cannot be had.
   */
  void settle(Optional<Boolean> before) {
    Cleanup.run("undo/" + id, () -> {
      restore(before);
      Optional<Boolean> now = frozen();
      if (now.isPresent()) {
        perhapsFrozen = now.get();
        listener.found(now.get());
      }
    });
  }

  private void restore(Optional<Boolean> before) throws InterruptedException {
    Optional<Boolean> now = frozen();
    if (before.isEmpty() || now.isEmpty() || now.equals(before)) {
      return;
    }
    try {
      if (before.get()) {
        container.pause();
      } else {
        container.resume();
      }
    } catch (StatusException e) {
      Log.warn(before.get() ? "not frozen again" : "not thawed again", "id", id, "error",
          String.valueOf(e.getMessage()));
    }
  }
}
