package io.loomshim.container;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomshim.container.InitState.Operation;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.types.Status;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every state and every operation, as clients of the Go shims know them. */
class InitStateTest {
  /** {@code operation | created | created from checkpoint | running | paused | stopped | deleted}. */
  private static final String TABLE =
      """
      START | ok | ok | cannot start a running process | cannot start a paused process \
      | cannot start a stopped process | cannot start a deleted process
      DELETE | ok | ok | cannot delete a running process | cannot delete a paused process \
      | ok | cannot delete a deleted process: not found
      PAUSE | cannot pause task in created state | cannot pause task in created state | ok \
      | cannot pause a paused container | cannot pause a stopped container | cannot pause a deleted process
      RESUME | cannot resume task in created state | cannot resume task in created state \
      | cannot resume a running process | ok | cannot resume a stopped container | cannot resume a deleted process
      UPDATE | ok | ok | ok | ok | cannot update a stopped container | cannot update a deleted process
      CHECKPOINT | cannot checkpoint a task in created state | cannot checkpoint a task in created state \
      | ok | ok | cannot checkpoint a stopped container | cannot checkpoint a deleted process
      EXEC | ok | cannot exec in a created state | ok | cannot exec in a paused state \
      | cannot exec in a stopped state | cannot exec in a deleted state
      KILL | ok | ok | ok | ok | ok | cannot kill a deleted process: not found
      """;

  private static final InitState[] COLUMNS = {
    InitState.CREATED, InitState.CREATED_FROM_CHECKPOINT, InitState.RUNNING, InitState.PAUSED, InitState.STOPPED,
    InitState.DELETED
  };

  @Test
  void everyStateAnswersEveryOperationInTheKnownWords() {
    var seen = new ArrayList<Operation>();
    for (String row : TABLE.lines().toList()) {
      String[] cells = row.split(" *\\| ");
      var operation = Operation.valueOf(cells[0]);
      seen.add(operation);
      assertEquals(COLUMNS.length + 1, cells.length, row);
      for (int i = 0; i < COLUMNS.length; i++) {
        check(COLUMNS[i], operation, cells[i + 1]);
      }
    }
    assertEquals(List.of(Operation.values()), seen, "an operation without a row");
    assertEquals(List.of(InitState.values()), List.of(COLUMNS), "a state without a column");
  }

  private static void check(InitState state, Operation operation, String expected) {
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
  void clientsSeeFourWords() {
    assertEquals(Status.CREATED, InitState.CREATED.status());
    assertEquals(Status.CREATED, InitState.CREATED_FROM_CHECKPOINT.status());
    assertEquals(Status.RUNNING, InitState.RUNNING.status());
    assertEquals(Status.PAUSED, InitState.PAUSED.status());
    assertEquals(Status.STOPPED, InitState.STOPPED.status());
    assertEquals(Status.STOPPED, InitState.DELETED.status());
  }
}
