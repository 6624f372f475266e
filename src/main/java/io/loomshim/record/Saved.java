package io.loomshim.record;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.loomshim.proto.record.CgroupEntry;
import io.loomshim.proto.record.ContainerEntry;
import io.loomshim.proto.record.DaemonEntry;
import io.loomshim.proto.record.DeletedEntry;
import io.loomshim.proto.record.EventEntry;
import io.loomshim.proto.record.ExecEntry;
import io.loomshim.proto.record.KillsEntry;
import io.loomshim.proto.record.ProcessEntry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A state as the messages that it consists of. Immutable.
 *
 * @param daemon the one that has written the record
 * @param containers sorted by id, those whose creation was under way included
 * @param events those that containerd has not acknowledged, in their order
 * @param deleted what the last Deletes have answered, by {@code ID} or {@code ID/EXEC}
 */
public record Saved(DaemonEntry daemon, List<Container> containers, List<Event> events,
    Map<String, DeletedEntry> deleted) {
  /**
   * A container.
   *
   * @param asked what its client asked for
   * @param init empty while it was being created
   * @param cgroup without directories when it was not found
   * @param kills kills for want of memory that have been told
   * @param paused whether a client has paused it and not resumed it
   * @param stdinClosed whether a client has closed its stdin
   * @param reaped how the init has ended, if it was reaped and its end not told
   */
  public record Container(String id, ContainerEntry asked, Optional<ProcessEntry> init, CgroupEntry cgroup,
      KillsEntry kills, boolean paused, boolean stdinClosed, Optional<ProcessEntry> reaped, List<Exec> execs) {}

  /**
   * An exec.
   *
   * @param id within its container
   * @param asked what its client asked for
   * @param process empty when it had not started
   * @param stdinClosed whether a client has closed its stdin
   * @param reaped how it has ended, if it was reaped and its end not told
   */
  public record Exec(String id, ExecEntry asked, Optional<ProcessEntry> process, boolean stdinClosed,
      Optional<ProcessEntry> reaped) {}

  /** An event, and its number. */
  public record Event(long number, EventEntry event) {}

  /**
   * Decodes {@code state}. Kinds of other rooms are left to them.
   *
   * @param name the file, for the message
   * @throws UnreadableException when a value is not the message that its kind says
   */
  public static Saved of(String name, State state) throws UnreadableException {
    try {
      var containers = new ArrayList<Container>();
      for (var container : state.all(Kinds.CONTAINER).entrySet()) {
        containers.add(container(container.getKey(), container.getValue(), state));
      }
      var events = new ArrayList<Event>();
      for (var event : state.all(Kinds.EVENT).entrySet()) {
        events.add(new Event(Long.parseLong(event.getKey()), EventEntry.parseFrom(event.getValue())));
      }
      var deleted = new LinkedHashMap<String, DeletedEntry>();
      for (var answer : state.all(Kinds.DELETED).entrySet()) {
        deleted.put(answer.getKey(), DeletedEntry.parseFrom(answer.getValue()));
      }
      Optional<ByteString> daemon = state.get(Kinds.DAEMON, "");
      return new Saved(DaemonEntry.parseFrom(daemon.orElse(ByteString.EMPTY)), List.copyOf(containers),
          List.copyOf(events), Map.copyOf(deleted));
    } catch (InvalidProtocolBufferException | NumberFormatException e) {
      throw new UnreadableException(name + " has a value that this build does not understand: " + e.getMessage());
    }
  }

  private static Container container(String id, ByteString asked, State state) throws InvalidProtocolBufferException {
    var execs = new ArrayList<Exec>();
    for (var exec : state.of(id, Kinds.EXEC).entrySet()) {
      Optional<ProcessEntry> process = process(state.get(Kinds.EXEC_PROCESS, exec.getKey()));
      execs.add(new Exec(exec.getKey().substring(id.length() + 1), ExecEntry.parseFrom(exec.getValue()), process,
          closed(state, exec.getKey()), reaped(state, exec.getKey(), process)));
    }
    Optional<ProcessEntry> init = process(state.get(Kinds.INIT, id));
    return new Container(id, ContainerEntry.parseFrom(asked), init,
        CgroupEntry.parseFrom(state.get(Kinds.CGROUP, id).orElse(ByteString.EMPTY)),
        KillsEntry.parseFrom(state.get(Kinds.KILLS, id).orElse(ByteString.EMPTY)),
        state.get(Kinds.PAUSED, id).isPresent(), closed(state, id), reaped(state, id, init),
        List.copyOf(execs));
  }

  private static Optional<ProcessEntry> process(Optional<ByteString> value) throws InvalidProtocolBufferException {
    return value.isEmpty() ? Optional.empty() : Optional.of(ProcessEntry.parseFrom(value.get()));
  }

  /** The process of an earlier container of this name may have been reaped after that was gone. */
  private static Optional<ProcessEntry> reaped(State state, String key, Optional<ProcessEntry> process)
      throws InvalidProtocolBufferException {
    Optional<ProcessEntry> reaped = process(state.get(Kinds.REAPED, key));
    boolean own = reaped.isPresent() && process.isPresent() && reaped.get().getPid() == process.get().getPid();
    return own ? reaped : Optional.empty();
  }

  private static boolean closed(State state, String key) {
    return state.get(Kinds.STDIN_CLOSED, key).isPresent();
  }
}
