package io.loomshim.container;

import io.loomshim.checkpoint.CheckpointSpec;
import io.loomshim.checkpoint.Checkpoints;
import io.loomshim.container.InitState.Operation;
import io.loomshim.runc.Runc;
import io.loomshim.stdio.StreamFile;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * How a client pauses and resumes a container, and has done to it what may freeze it for a moment. Runs on the threads
 * of the calls, one at a time.
 */
final class Pausing {
  private final InitLife life;
  private final Runc runc;
  private final Freezing freezing;
  private final TaskEvents events;
  private volatile boolean underWay;

  Pausing(InitLife life, Runc runc, Freezing freezing, TaskEvents events) {
    this.life = life;
    this.runc = runc;
    this.freezing = freezing;
    this.events = events;
  }

  /** Whether a pause has begun and not ended. */
  boolean underWay() {
    return underWay;
  }

  /** Freezes all processes of the container. */
  void pause() throws IOException, InterruptedException {
    life.operations().lockInterruptibly();
    try {
      if (life.doneBefore(Operation.PAUSE)) {
        return;
      }
      life.adopt();
      life.seen().check(Operation.PAUSE);
      underWay = true;
      try {
        freezing.freeze();
        if (life.moved(InitState.RUNNING, InitState.PAUSED)) {
          events.paused();
        }
      } catch (IOException | InterruptedException | RuntimeException e) {
        freezing.undoFreeze(e);
        throw e;
      } finally {
        underWay = false;
      }
    } finally {
      life.operations().unlock();
    }
  }

  /** Lets the processes of a paused container run again. */
  void resume() throws IOException, InterruptedException {
    life.operations().lockInterruptibly();
    try {
      if (life.doneBefore(Operation.RESUME)) {
        return;
      }
      life.adopt();
      life.seen().check(Operation.RESUME);
      try {
        freezing.thaw();
      } catch (IOException | InterruptedException | RuntimeException e) {
        freezing.settle(Optional.empty());
        throw e;
      }
      if (life.moved(InitState.PAUSED, InitState.RUNNING)) {
        events.resumed();
      }
    } finally {
      life.operations().unlock();
    }
  }

  /**
   * A daemon was killed while it paused or resumed the container: what the kernel says has been done is told now.
   *
   * @param still what the client wants
   * @return whether it is so
   */
  boolean settle(boolean still) throws InterruptedException {
    life.operations().lockInterruptibly();
    try {
      Optional<Boolean> now = freezing.frozen();
      if (now.isPresent() && now.get() == still) {
        life.found(still);
        life.doneBefore(still ? Operation.PAUSE : Operation.RESUME); // its caller is told success
      }
      return life.state() == (still ? InitState.PAUSED : InitState.RUNNING);
    } finally {
      life.operations().unlock();
    }
  }

  /** Sets resource limits; {@code resources} is the JSON of the OCI runtime spec. */
  void update(String resources) throws IOException, InterruptedException {
    life.operations().lockInterruptibly();
    try {
      life.state().check(Operation.UPDATE);
      Optional<Boolean> before = freezing.frozen(); // on cgroup v1 runc freezes while it sets devices
      try {
        runc.update(resources);
      } catch (IOException | InterruptedException | RuntimeException e) {
        freezing.settle(before);
        throw e;
      }
    } finally {
      life.operations().unlock();
    }
  }

  /** Saves the container with CRIU. */
  void checkpoint(Checkpoints checkpoints, CheckpointSpec checkpoint, List<StreamFile> streams)
      throws IOException, InterruptedException {
    life.operations().lockInterruptibly();
    try {
      life.state().check(Operation.CHECKPOINT);
      Optional<Boolean> before = freezing.frozen();
      try {
        checkpoints.save(checkpoint, streams);
      } catch (IOException | InterruptedException | RuntimeException e) {
        freezing.settle(before);
        throw e;
      }
    } finally {
      life.operations().unlock();
    }
  }
}
