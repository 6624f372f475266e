package io.loomshim.event;

import com.google.protobuf.InvalidProtocolBufferException;
import io.loomshim.proto.events.TaskDelete;
import io.loomshim.proto.events.TaskExit;
import io.loomshim.record.Journal;
import io.loomshim.record.Saved;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** An outbox whose thread does not run: the test delivers. */
public final class StillOutbox {
  private final Outbox outbox;

  /** With the events that an earlier daemon has left. */
  public StillOutbox(Journal journal, List<Saved.Event> waiting) {
    var publisher = new Publisher(Path.of("/nowhere").toString(), "ns", Duration.ZERO);
    outbox = new Outbox("ns", Optional.of(publisher), Duration.ZERO, journal, waiting);
  }

  public Outbox outbox() {
    return outbox;
  }

  /** The event that is to be delivered next: its topic, and the process and status of an exit. */
  public String head() throws InterruptedException, InvalidProtocolBufferException {
    return text(outbox.queue().head().orElseThrow());
  }

  /** containerd has acknowledged it. */
  public void acknowledged() {
    outbox.queue().remove(true);
  }

  private static String text(Entry entry) throws InvalidProtocolBufferException {
    return switch (entry.topic()) {
      case EXIT -> {
        TaskExit exit = TaskExit.parseFrom(entry.event());
        yield "exit " + exit.getId() + " " + exit.getExitStatus();
      }
      case DELETE -> "delete " + TaskDelete.parseFrom(entry.event()).getExitStatus();
      default -> entry.topic().topic().substring("/tasks/".length());
    };
  }

  /** An event as it stands in the record, in the same words. */
  public static String text(Saved.Event event) throws InvalidProtocolBufferException {
    return text(Entry.of(event.event()));
  }
}
