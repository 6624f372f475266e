package io.loomshim.container;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;

/** The states of an exec process and what each of them refuses. Pure. */
enum ExecState {
  CREATED("created"),
  RUNNING("running"),
  STOPPED("stopped"),
  DELETED("stopped");

  /** What can be asked of an exec process. */
  enum Operation {
    START,
    DELETE,
    KILL,
    RESIZE
  }

  private final String status;

  ExecState(String status) {
    this.status = status;
  }

  /** The word that the runtime's clients see. */
  String status() {
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
    return this == DELETED ? "deleted" : status;
  }
}
