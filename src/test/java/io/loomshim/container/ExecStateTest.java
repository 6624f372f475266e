package io.loomshim.container;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomshim.container.ExecState.Operation;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.types.Status;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every state and every operation, as clients of the Go shims know them. */
class ExecStateTest {
  /** {@code operation | created | running | stopped | deleted}. */
  private static final String TABLE =
      """
      START | ok | cannot start a running process | cannot start a stopped process | cannot start a deleted process
      DELETE | ok | cannot delete a running process | ok | cannot delete a deleted process: not found
      KILL | ok | ok | ok | cannot kill a deleted process: not found
      RESIZE | ok | ok | cannot resize a stopped container | cannot resize a deleted process
      """;

  private static final List<ExecState> COLUMNS =
      List.of(ExecState.CREATED, ExecState.RUNNING, ExecState.STOPPED, ExecState.DELETED);

  @Test
  void everyStateAnswersEveryOperationInTheKnownWords() {
    var seen = new ArrayList<Operation>();
    for (String row : TABLE.lines().toList()) {
      String[] cells = row.split(" *\\| ");
      var operation = Operation.valueOf(cells[0]);
      seen.add(operation);
      assertEquals(COLUMNS.size() + 1, cells.length, row);
      for (int i = 0; i < COLUMNS.size(); i++) {
        check(COLUMNS.get(i), operation, cells[i + 1]);
      }
    }
    assertEquals(List.of(Operation.values()), seen, "an operation without a row");
    assertEquals(List.of(ExecState.values()), COLUMNS, "a state without a column");
  }

  private static void check(ExecState state, Operation operation, String expected) {
    String at = operation + " in " + state;
    if (expected.equals("ok")) {
      assertDoesNotThrow(() -> state.check(operation), at);
      return;
    }
    var refusal = assertThrows(StatusException.class, () -> state.check(operation), at);
    assertEquals(expected, refusal.getMessage(), at);
    assertEquals(expected.endsWith(": not found") ? Code.NOT_FOUND : Code.UNKNOWN, refusal.code(), at);
  }

  @Test
  void clientsSeeThreeWords() {
    assertEquals(Status.CREATED, ExecState.CREATED.status());
    assertEquals(Status.RUNNING, ExecState.RUNNING.status());
    assertEquals(Status.STOPPED, ExecState.STOPPED.status());
    assertEquals(Status.STOPPED, ExecState.DELETED.status());
  }
}
