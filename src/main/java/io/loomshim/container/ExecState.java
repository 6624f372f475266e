package io.loomshim.container;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.types.Status;
import java.util.Locale;

/** The states of an exec process and what each of them refuses. Pure. */
enum ExecState {
  CREATED(Status.CREATED),
  RUNNING(Status.RUNNING),
  STOPPED(Status.STOPPED),
  DELETED(Status.STOPPED);

  /** What can be asked of an exec process. */
  enum Operation {
    START,
    DELETE,
    KILL,
    RESIZE
  }

  private final Status status;

  ExecState(Status status) {
    this.status = status;
  }

  /** What clients see. */
  Status status() {
    return status;
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
          case START -> this == CREATED ? "" : "cannot start a " + word() + " process";
          case DELETE ->
              switch (this) {
                case CREATED, STOPPED -> "";
                case RUNNING -> "cannot delete a running process";
                case DELETED -> "cannot delete a deleted process: not found";
              };
          case KILL -> this == DELETED ? "cannot kill a deleted process: not found" : "";
          case RESIZE ->
              switch (this) {
                case CREATED, RUNNING -> "";
                case STOPPED -> "cannot resize a stopped container";
                case DELETED -> "cannot resize a deleted process";
              };
        };
    if (!refusal.isEmpty()) {
      boolean gone = this == DELETED && (operation == Operation.DELETE || operation == Operation.KILL);
      throw new StatusException(gone ? Code.NOT_FOUND : Code.UNKNOWN, refusal);
    }
  }

  private String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
