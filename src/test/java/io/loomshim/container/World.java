package io.loomshim.container;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.loomshim.event.StillOutbox;
import io.loomshim.proto.record.ProcessEntry;
import io.loomshim.record.Kinds;
import io.loomshim.record.MemoryRecord;
import io.loomshim.record.Saved;
import io.loomshim.record.State;
import io.loomshim.record.UnreadableException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * All that there is at one moment: the record, the kernel's processes, what clients and containerd have seen, and how
 * far each thread of the daemon has got. What the daemon knows beyond that stands in the record.
 */
final class World {
  static final String ID = "web";
  static final String EXEC = "probe";
  static final String PROCESS = ID + "/" + EXEC;
  static final int INIT_PID = 100;
  static final int EXEC_PID = 200;

  /** As takeover has them: what was asked, and the reply from before it is written until it has been. */
  static final int CALL = Kinds.OTHERS_FREE;
  static final int REPLY = CALL + 1;

  /** A process, as the kernel has it. */
  enum Life {
    NONE,
    CREATED,
    RUNS,
    ZOMBIE,
    REAPED
  }

  /** What clients ask for. */
  enum Call {
    CREATE,
    START,
    EXEC,
    START_EXEC,
    WAIT,
    KILL,
    DELETE
  }

  private static final Call[] CALLS = Call.values();

  // The kernel's.
  final Life[] life = {Life.NONE, Life.NONE}; // the init, the exec
  final int[] status = {0, 0}; // how it ended
  final boolean[] parked = {false, false}; // its pidfd

  // The clients'.
  final EnumMap<Call, Boolean> asked = new EnumMap<>(Call.class);
  final EnumMap<Call, String> answered = new EnumMap<>(Call.class);
  final List<String> delivered = new ArrayList<>();

  // The daemon's threads: how far each has got, and what it knows that is not in the record.
  boolean alive = true;
  int kills;
  final EnumMap<Call, Integer> at = new EnumMap<>(Call.class); // 0: the request is still in the socket
  final EnumMap<Call, Boolean> again = new EnumMap<>(Call.class); // begun by an earlier daemon
  final EnumMap<Call, String> reply = new EnumMap<>(Call.class);
  final int[] exitThread = {0, 0};
  final int[] reaped = {0, 0};
  boolean order; // the lock, held by a Start

  MemoryRecord record;
  private State state;
  private Saved saved;
  private String recordKey = ""; // that of the record, empty until it is asked for

  World() throws UnreadableException {
    record = new MemoryRecord();
    state = new State();
    saved = Saved.of("record", state);
    for (Call call : Call.values()) {
      at.put(call, 0);
      again.put(call, false);
      asked.put(call, false);
    }
  }

  /** The same, whose parts of the record have been read already. */
  private World(World other) {
    record = other.record.copy();
    state = other.state;
    saved = other.saved;
    recordKey = other.recordKey;
  }

  World copy() {
    var copy = new World(this);
    for (int i = 0; i < 2; i++) {
      copy.life[i] = life[i];
      copy.status[i] = status[i];
      copy.parked[i] = parked[i];
      copy.exitThread[i] = exitThread[i];
      copy.reaped[i] = reaped[i];
    }
    copy.asked.putAll(asked);
    copy.answered.putAll(answered);
    copy.delivered.addAll(delivered);
    copy.alive = alive;
    copy.kills = kills;
    copy.at.putAll(at);
    copy.again.putAll(again);
    copy.reply.putAll(reply);
    copy.order = order;
    return copy;
  }

  /** Reads the record if something has been written. */
  void look() throws UnreadableException {
    if (record.changed()) {
      state = record.state();
      saved = Saved.of("record", state);
      recordKey = "";
    }
  }

  State state() {
    return state;
  }

  Saved saved() {
    return saved;
  }

  Optional<Saved.Container> container() {
    return saved.containers().isEmpty() ? Optional.empty() : Optional.of(saved.containers().getFirst());
  }

  Optional<ProcessEntry> init() {
    return container().flatMap(Saved.Container::init);
  }

  Optional<Saved.Exec> exec() {
    return container().flatMap(container -> container.execs().stream().findFirst());
  }

  /** The state of the init, which has been created. */
  InitState initState() {
    return Notes.state(init().orElseThrow(), container().orElseThrow().paused());
  }

  boolean execRuns() {
    return exec().isPresent() && Notes.state(exec().get()) == ExecState.RUNNING;
  }

  /** The same for all worlds that differ only in times. */
  String key() throws InvalidProtocolBufferException {
    var key = new StringBuilder(300);
    for (int i = 0; i < 2; i++) {
      small(key, life[i].ordinal(), status[i], parked[i] ? 1 : 0, exitThread[i], reaped[i]);
    }
    for (Call call : CALLS) {
      small(key, asked.get(call) ? 1 : 0, again.get(call) ? 1 : 0, at.get(call));
      key.append(answered.get(call)).append(' ').append(reply.get(call));
    }
    for (String event : delivered) {
      key.append(event).append(',');
    }
    small(key, alive ? 1 : 0, kills, order ? 1 : 0);
    if (recordKey.isEmpty()) {
      recordKey = plain();
    }
    return key.append(recordKey).toString();
  }

  private static void small(StringBuilder key, int... numbers) {
    for (int number : numbers) {
      key.append((char) number);
    }
  }

  private String plain() throws InvalidProtocolBufferException {
    var plain = new StringBuilder(200);
    for (int kind : state.kinds()) {
      if (kind == Kinds.EVENT) {
        continue; // their keys are numbers that count up
      }
      boolean inOrder = Kinds.ofContainer(kind) || state.all(kind).size() < 2;
      plain.append((char) kind).append(inOrder ? state.all(kind).keySet() : new TreeSet<>(state.all(kind).keySet()));
    }
    plain.append(init().map(World::text).orElse("")).append(';');
    plain.append(exec().flatMap(Saved.Exec::process).map(World::text).orElse("")).append(';');
    for (Saved.Event event : saved.events()) {
      plain.append(StillOutbox.text(event)).append(',');
    }
    for (ByteString reply : new TreeMap<>(state.all(REPLY)).values()) {
      plain.append(reply.toStringUtf8()).append(',');
    }
    return plain.toString();
  }

  private static String text(ProcessEntry process) {
    return process.getState() + " " + process.getPid() + " " + process.getExitStatus();
  }

  @Override
  public String toString() {
    try {
      return key();
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }
}
