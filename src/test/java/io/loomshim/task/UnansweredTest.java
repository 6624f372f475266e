package io.loomshim.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomshim.container.Containers;
import io.loomshim.errors.StatusException;
import io.loomshim.event.Outbox;
import io.loomshim.proto.record.DeletedEntry;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.DeleteResponse;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.task.WaitResponse;
import io.loomshim.record.Journal;
import io.loomshim.runc.KnownRuntimes;
import io.loomshim.runc.RuncLimits;
import io.loomshim.ttrpc.Redo;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Calls that were in flight when a daemon was killed whose container is gone. */
final class UnansweredTest {
  private final Unanswered unanswered = new Unanswered(new Containers("test", Outbox.start("test", ""), Journal.NONE,
      RuncLimits.DEFAULT, false, KnownRuntimes.NONE),
      Map.of("web", DeletedEntry.newBuilder().setPid(4).setExitStatus(6).build()));

  @Test
  void whoWaitsForWhatAnotherHasDeletedIsToldItsStatus() throws Exception {
    var reply = (WaitResponse) unanswered.reply("Wait", WaitRequest.newBuilder().setId("web").build()).orElseThrow();
    assertEquals(6, reply.getExitStatus());
    assertEquals(Optional.empty(), unanswered.reply("Wait", WaitRequest.newBuilder().setId("other").build()));
  }

  @Test
  void aDeletionThatWasDoneIsAnsweredAgain() throws Exception {
    var reply = (DeleteResponse) unanswered.reply("Delete", DeleteRequest.newBuilder().setId("web").build())
        .orElseThrow();
    assertEquals(6, reply.getExitStatus());
    assertEquals(4, reply.getPid());
  }

  @Test
  void aCreationThatWasCutShortIsInDoubt() {
    var request = CreateTaskRequest.newBuilder().setId("new").build();
    var error = assertThrows(StatusException.class, () -> unanswered.reply("Create", request));
    assertEquals(Redo.IN_DOUBT, error.getMessage());
  }
}
