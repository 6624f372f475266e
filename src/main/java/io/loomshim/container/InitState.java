package io.loomshim.container;

import io.loomshim.cgroup.Freezer;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.types.Status;

/** The states of an init process and what each of them refuses, in the words that clients know. Pure. */
enum InitState {
  CREATED(Status.CREATED),
  CREATED_FROM_CHECKPOINT(Status.CREATED),
  RUNNING(Status.RUNNING),
  PAUSED(Status.PAUSED),
  STOPPED(Status.STOPPED),
  DELETED(Status.STOPPED);

  /** What can be asked of an init process. */
  enum Operation {
    START,
    DELETE,
    PAUSE,
    RESUME,
    UPDATE,
    CHECKPOINT,
    EXEC,
    KILL
  }

  private final Status status;

  InitState(Status status) {
    this.status = status;
  }

  /** What clients see. */
  Status status() {
    return status;
  }

  /** What it is, given that others freeze and thaw containers too: as the cgroup says, if that is known. */
  InitState seen(Freezer.State cgroup) {
    boolean alive = this == CREATED || this == RUNNING || this == PAUSED;
    if (alive && cgroup == Freezer.State.STILL) {
      return PAUSED;
    }
    return this == PAUSED && cgroup == Freezer.State.RUNS ? RUNNING : this;
  }

  /**
   * Returns when {@code operation} is allowed in this state.
   *
   * @throws StatusException UNKNOWN with the reason; NOT_FOUND for a deleted process that is to be
   *     deleted or killed
   */
  void check(Operation operation) {
    String refusal =
        switch (operation) {
          case START -> refuseStart();
          case DELETE -> refuseDelete();
          case PAUSE -> refusePause();
          case RESUME -> refuseResume();
          case UPDATE -> refuseEnded("update");
          case CHECKPOINT -> isCreated() ? "cannot checkpoint a task in created state" : refuseEnded("checkpoint");
          case EXEC -> refuseExec();
          case KILL -> this == DELETED ? "cannot kill a deleted process: not found" : "";
        };
    if (!refusal.isEmpty()) {
      boolean gone = this == DELETED && (operation == Operation.DELETE || operation == Operation.KILL);
      throw new StatusException(gone ? Code.NOT_FOUND : Code.UNKNOWN, refusal);
    }
  }

  private boolean isCreated() {
    return this == CREATED || this == CREATED_FROM_CHECKPOINT;
  }

  private String refuseStart() {
    return switch (this) {
      case CREATED, CREATED_FROM_CHECKPOINT -> "";
      case RUNNING -> "cannot start a running process";
      case PAUSED -> "cannot start a paused process";
      case STOPPED -> "cannot start a stopped process";
      case DELETED -> "cannot start a deleted process";
    };
  }

  private String refuseDelete() {
    return switch (this) {
      case CREATED, CREATED_FROM_CHECKPOINT, STOPPED -> "";
      case RUNNING -> "cannot delete a running process";
      case PAUSED -> "cannot delete a paused process";
      case DELETED -> "cannot delete a deleted process: not found";
    };
  }

  private String refusePause() {
    return switch (this) {
      case CREATED, CREATED_FROM_CHECKPOINT -> "cannot pause task in created state";
      case RUNNING -> "";
      case PAUSED -> "cannot pause a paused container";
      case STOPPED -> "cannot pause a stopped container";
      case DELETED -> "cannot pause a deleted process";
    };
  }

  private String refuseResume() {
    return switch (this) {
      case CREATED, CREATED_FROM_CHECKPOINT -> "cannot resume task in created state";
      case RUNNING -> "cannot resume a running process";
      case PAUSED -> "";
      case STOPPED -> "cannot resume a stopped container";
      case DELETED -> "cannot resume a deleted process";
    };
  }

  private String refuseEnded(String verb) {
    return switch (this) {
      case STOPPED -> "cannot " + verb + " a stopped container";
      case DELETED -> "cannot " + verb + " a deleted process";
      default -> "";
    };
  }

  private String refuseExec() {
    return switch (this) {
      case CREATED, RUNNING -> "";
      case CREATED_FROM_CHECKPOINT -> "cannot exec in a created state";
      case PAUSED -> "cannot exec in a paused state";
      case STOPPED -> "cannot exec in a stopped state";
      case DELETED -> "cannot exec in a deleted state";
    };
  }
}
