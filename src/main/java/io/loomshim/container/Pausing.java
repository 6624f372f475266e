package io.loomshim.container;

import io.loomshim.container.InitState.Operation;
import java.util.Optional;

/** How a client pauses and resumes a container. Runs on the threads of the calls, one at a time. */
final class Pausing {
  private final InitLife life;
  private final Freezing freezing;
  private final TaskEvents events;
  private volatile boolean underWay;

  Pausing(InitLife life, Freezing freezing, TaskEvents events) {
    this.life = life;
    this.freezing = freezing;
    this.events = events;
  }

  /** Whether a pause has begun and not ended. */
  boolean underWay() {
    return underWay;
  }

  /** Freezes all processes of the container. */
  void pause() throws InterruptedException {
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
      } catch (InterruptedException | RuntimeException e) {
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
  void resume() throws InterruptedException {
    life.operations().lockInterruptibly();
    try {
      if (life.doneBefore(Operation.RESUME)) {
        return;
      }
      life.adopt();
      life.seen().check(Operation.RESUME);
      try {
        freezing.thaw();
      } catch (InterruptedException | RuntimeException e) {
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
}
