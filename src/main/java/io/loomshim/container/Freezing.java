package io.loomshim.container;

import io.loomshim.log.Log;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncException;
import java.util.Optional;

/**
 * Freezes and thaws the processes of a container, and sees to it that they are frozen when its state says so and only
 * then, after a command that was killed or has failed: runc may have frozen or thawed them by then, and CRIU thaws a
 * paused container while it saves it. Called with the container's {@code operations} lock held; what undoes something
 * runs on a thread that is never interrupted, for which the caller waits.
 */
final class Freezing {
  private final Runc runc;
  private final ContainerCgroup cgroup;
  private final InitLife life;
  private volatile boolean perhapsFrozen; // from the beginning of a pause until it is known what became of it

  /** {@code life} is told what the processes are after a command that has failed. */
  Freezing(Runc runc, ContainerCgroup cgroup, InitLife life) {
    this.runc = runc;
    this.cgroup = cgroup;
    this.life = life;
  }

  /** Whether they may be frozen although the state does not say so. */
  boolean perhapsFrozen() {
    return perhapsFrozen;
  }

  /** What the kernel says; empty when it does not tell. */
  Optional<Boolean> frozen() {
    return cgroup.frozen();
  }

  /** Whether the kernel says that they run. */
  boolean thawed() {
    Optional<Boolean> frozen = frozen();
    return frozen.isPresent() && !frozen.get();
  }

  void freeze() throws RuncException, InterruptedException {
    perhapsFrozen = true;
    runc.pause();
  }

  void thaw() throws RuncException, InterruptedException {
    runc.resume();
    perhapsFrozen = false;
  }

  /**
   * After a {@link #freeze} that has failed: a runc that was killed or has crashed may have done it. Where the kernel
   * does not tell, one that has refused has not.
   */
  void undoFreeze(Exception failure) {
    if (frozen().isPresent()) {
      settle(Optional.of(false));
    } else if (failure instanceof RuncException e && e.explained()) {
      perhapsFrozen = false;
    } else {
      Cleanup.run("undo/" + runc.id(), this::thaw);
    }
  }

  /**
   * After a command that has failed: they are frozen again, or not, as they were {@code before}; the state becomes
   * what they are then, which is something else where that cannot be had.
   */
  void settle(Optional<Boolean> before) {
    Cleanup.run("undo/" + runc.id(), () -> {
      restore(before);
      Optional<Boolean> now = frozen();
      if (now.isPresent()) {
        perhapsFrozen = now.get();
        life.found(now.get());
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
        runc.pause();
      } else {
        runc.resume();
      }
    } catch (RuncException e) {
      Log.warn(before.get() ? "failed to freeze the container again" : "failed to thaw the container again", "id",
          runc.id(), "error", String.valueOf(e.getMessage()));
    }
  }
}
