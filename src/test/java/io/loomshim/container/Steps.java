package io.loomshim.container;

import com.google.protobuf.ByteString;
import io.loomshim.container.World.Call;
import io.loomshim.container.World.Life;
import io.loomshim.errors.StatusException;
import io.loomshim.event.StillOutbox;
import io.loomshim.proto.record.DeletedEntry;
import io.loomshim.proto.record.ProcessEntry;
import io.loomshim.proto.record.ProcessState;
import io.loomshim.proto.runc.Options;
import io.loomshim.record.Change;
import io.loomshim.record.Kinds;
import io.loomshim.record.Saved;
import io.loomshim.stdio.StdioPaths;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What can happen next in a world. Each step does one thing that something outside the daemon can see: it writes an
 * entry, starts a process, parks a descriptor, answers. The steps are in the order in which the daemon does them, and
 * what they write comes from the code that the daemon runs: {@link TaskEvents}, {@link Notes}, the outbox's queue, the
 * states' rules.
 */
final class Steps {
  /** What a broken daemon does. */
  enum Fault {
    NONE,
    /** It lets those go who wait for an end before that is written down. */
    SHOWN_FIRST,
    /** It writes the event of an end in an entry of its own. */
    EVENT_APART,
    /** It strikes a call out before it answers. */
    STRUCK_OUT_FIRST,
    /** It does not write down what it is about to answer. */
    REPLY_NOT_KEPT,
    /** It gives up the pidfd of a process that it has reaped before the end is written down. */
    PIDFD_GIVEN_UP_FIRST
  }

  /** One thing that can happen. */
  interface Step {
    void in(World world) throws Exception;
  }

  /** Its name, for a message. */
  record Named(String name, Step step) {}

  private static final int KILLED = 137;
  private static final int UNKNOWN = 255;
  private static final int REPLYING = 90;
  private static final int DONE = 99;
  private static final String UNAVAILABLE = "unavailable";

  private final int killsMax;
  private final boolean kernelTells; // PIDFD_GET_INFO, or the process connector
  private final boolean withExec;
  private final boolean eager; // events are delivered at any moment, not when all else is done
  private final Fault fault;

  Steps(int killsMax, boolean kernelTells, boolean withExec, boolean eager, Fault fault) {
    this.eager = eager;
    this.killsMax = killsMax;
    this.kernelTells = kernelTells;
    this.withExec = withExec;
    this.fault = fault;
  }

  /** All that can happen in {@code world}. Clients ask as soon as they can: when that is read is what matters. */
  List<Named> of(World world) {
    var steps = new ArrayList<Named>();
    clients(world, steps);
    if (!steps.isEmpty()) {
      return steps.subList(0, 1);
    }
    kernel(world, steps);
    if (!world.alive) {
      steps.add(new Named("the next daemon takes over", this::takeOver));
      return steps;
    }
    if (world.kills < killsMax) {
      steps.add(new Named("SIGKILL", Steps::sigkill));
    }
    for (Call call : Call.values()) {
      handle(world, call, steps);
    }
    for (int i = 0; i < 2; i++) {
      exit(world, i, steps);
    }
    if (eager || steps.size() == (world.kills < killsMax ? 1 : 0)) {
      deliver(world, steps);
    }
    return steps;
  }

  /** Whether {@code status} may be told of a process. */
  boolean right(World world, int process, int status) {
    return status == world.status[process] || status == UNKNOWN && !kernelTells && world.kills > 0;
  }

  // Clients and the kernel.

  private void clients(World world, List<Named> steps) {
    ask(world, Call.CREATE, true, steps);
    ask(world, Call.START, "100".equals(world.answered.get(Call.CREATE)), steps);
    boolean runs = "100".equals(world.answered.get(Call.START));
    ask(world, Call.WAIT, runs, steps);
    ask(world, Call.KILL, runs, steps);
    ask(world, Call.EXEC, runs && withExec, steps);
    ask(world, Call.START_EXEC, "ok".equals(world.answered.get(Call.EXEC)), steps);
    // as containerd's clients do: first what is under way, then the deletion
    ask(world, Call.DELETE, world.answered.containsKey(Call.WAIT) && world.answered.containsKey(Call.KILL)
        && world.asked.get(Call.EXEC) == world.answered.containsKey(Call.EXEC)
        && world.asked.get(Call.START_EXEC) == world.answered.containsKey(Call.START_EXEC), steps);
  }

  private static void ask(World world, Call call, boolean possible, List<Named> steps) {
    if (possible && !world.asked.get(call) && !world.asked.get(Call.DELETE)) {
      steps.add(new Named(call + " is asked", w -> w.asked.put(call, true)));
    }
  }

  private static void kernel(World world, List<Named> steps) {
    for (int i = 0; i < 2; i++) {
      int process = i;
      if (world.life[i] == Life.RUNS) {
        steps.add(new Named((i == 0 ? "init" : "exec") + " ends", w -> end(w, process, process == 0 ? 3 : 5)));
      }
      if (!world.alive && world.life[i] == Life.ZOMBIE) {
        steps.add(new Named("a stranger reaps " + i, w -> w.life[process] = Life.REAPED));
      }
    }
  }

  private static void end(World world, int process, int status) {
    world.life[process] = Life.ZOMBIE;
    world.status[process] = status;
    if (process == 0 && world.life[1] == Life.RUNS) {
      end(world, 1, KILLED); // its pid namespace goes with the init
    }
  }

  // The end of a daemon, and the next.

  private static void sigkill(World world) {
    world.alive = false;
    world.kills++;
    world.order = false;
    for (Call call : Call.values()) {
      world.again.put(call, false);
      world.at.put(call, 0);
    }
    world.reply.clear();
    for (int i = 0; i < 2; i++) {
      world.exitThread[i] = 0;
      world.reaped[i] = 0;
    }
  }

  /** From the record alone, and from what the kernel tells. */
  private void takeOver(World world) throws Exception {
    world.record.compact();
    world.look();
    world.alive = true;
    if (world.container().isPresent() && world.init().isEmpty()) {
      world.life[0] = Life.NONE; // its creation is undone
      world.parked[0] = false;
      world.record.write(Change.forget(World.ID));
      world.look();
    }
    if (world.exec().isPresent() && world.exec().get().process().isEmpty()) {
      world.life[1] = Life.NONE; // its start is undone
      world.status[1] = 0;
      world.parked[1] = false;
    }
    boolean released = world.life[0] != Life.NONE && world.life[0] != Life.CREATED;
    if (released && world.init().isPresent() && world.initState() == InitState.CREATED) {
      events(world).started(World.INIT_PID, () -> { }); // runc's fifo is gone; before any thread waits for an end
      world.look();
    }
    for (Call call : Call.values()) {
      Optional<ByteString> reply = world.state().get(World.REPLY, call.name());
      if (reply.isPresent()) {
        world.reply.put(call, reply.get().toStringUtf8());
        world.at.put(call, REPLYING);
      } else if (world.state().get(World.CALL, call.name()).isPresent()) {
        world.at.put(call, 1);
        world.again.put(call, true);
      } else if (world.answered.containsKey(call)) {
        world.at.put(call, DONE);
      }
    }
  }

  // Calls.

  private void handle(World world, Call call, List<Named> steps) {
    int at = world.at.get(call);
    if (at == 0 && world.asked.get(call)) {
      steps.add(new Named(call + " is read", w -> {
        w.record.write(Change.put(World.CALL, call.name(), ByteString.EMPTY));
        w.at.put(call, 1);
      }));
    } else if (at == REPLYING) {
      steps.add(new Named(call + " is answered", w -> answer(w, call)));
      ifKilled(world, steps, call + " is answered, and not struck out before SIGKILL", w -> send(w, call));
    } else if (at > 0 && at < REPLYING) {
      work(world, call, at).ifPresent(step -> steps.add(new Named(call + " at " + at, step)));
    }
  }

  /** Between an answer and its strike-out nothing but the end of the daemon makes a difference. */
  private void ifKilled(World world, List<Named> steps, String name, Step step) {
    if (world.kills < killsMax) {
      steps.add(new Named(name, w -> {
        step.in(w);
        sigkill(w);
      }));
    }
  }

  private void answer(World world, Call call) {
    send(world, call);
    strikeOut(world, call);
  }

  private void send(World world, Call call) {
    String reply = world.reply.get(call);
    String before = world.answered.get(call);
    if (before != null && !before.equals(reply)) {
      throw new AssertionError(call + " was answered with " + before + " and with " + reply);
    }
    world.answered.put(call, reply);
    world.at.put(call, DONE);
  }

  private static void strikeOut(World world, Call call) {
    world.record.write(Change.remove(World.CALL, call.name()), Change.remove(World.REPLY, call.name()));
  }

  private void reply(World world, Call call, String reply) {
    if (call == Call.START) {
      world.order = false;
    }
    world.reply.put(call, reply);
    world.at.put(call, REPLYING);
    if (fault == Fault.STRUCK_OUT_FIRST) {
      strikeOut(world, call);
    } else if (fault != Fault.REPLY_NOT_KEPT) {
      world.record.write(Change.put(World.REPLY, call.name(), ByteString.copyFromUtf8(reply)));
    }
  }

  /** The next step of a call that is under way; empty while it waits. */
  private Optional<Step> work(World world, Call call, int at) {
    return switch (call) {
      case CREATE -> Optional.of(w -> create(w, at));
      case START -> Optional.of(w -> start(w, at));
      case EXEC -> Optional.of(Steps.this::exec);
      case START_EXEC -> Optional.of(w -> startExec(w, at));
      case WAIT -> seenEnd(world).map(status -> (Step) w -> reply(w, call, "status " + status));
      case KILL -> Optional.of(this::kill);
      case DELETE -> Optional.of(this::delete);
    };
  }

  private void create(World world, int at) throws Exception {
    if (world.again.get(Call.CREATE) && at == 1 && world.container().isPresent()) {
      reply(world, Call.CREATE, Integer.toString(World.INIT_PID)); // it had been created
      return;
    }
    if (world.again.get(Call.CREATE) && at == 1) {
      reply(world, Call.CREATE, UNAVAILABLE); // what there was of it has been undone
      return;
    }
    ContainerSpec spec = new ContainerSpec(World.ID, Path.of("/bundle"), List.of(),
        new StdioPaths("", "", "", false), Options.getDefaultInstance(), Optional.empty());
    switch (at) {
      case 1 -> world.record.write(Notes.asked(spec));
      case 2 -> world.life[0] = Life.CREATED;
      case 3 -> world.parked[0] = true;
      case 4 -> events(world).created(spec, InitState.CREATED, World.INIT_PID);
      default -> {
        reply(world, Call.CREATE, Integer.toString(World.INIT_PID));
        return;
      }
    }
    world.at.put(Call.CREATE, at + 1);
  }

  private void start(World world, int at) throws Exception {
    InitState state = world.initState();
    switch (at) {
      case 1 -> {
        if (world.again.get(Call.START) && state != InitState.CREATED) {
          reply(world, Call.START, Integer.toString(World.INIT_PID)); // it had been started
          return;
        }
        if (!allowed(() -> state.check(InitState.Operation.START))) {
          reply(world, Call.START, "refused");
          return;
        }
        world.order = true;
      }
      case 2 -> world.life[0] = world.life[0] == Life.CREATED ? Life.RUNS : world.life[0]; // or it runs already
      case 3 -> events(world).started(World.INIT_PID, () -> { });
      default -> {
        reply(world, Call.START, Integer.toString(World.INIT_PID));
        return;
      }
    }
    world.at.put(Call.START, at + 1);
  }

  private void exec(World world) throws Exception {
    if (world.at.get(Call.EXEC) == 2 || world.again.get(Call.EXEC) && world.exec().isPresent()) {
      reply(world, Call.EXEC, "ok");
      return;
    }
    if (world.container().isEmpty() || !allowed(() -> world.initState().check(InitState.Operation.EXEC))) {
      reply(world, Call.EXEC, "refused");
      return;
    }
    events(world).execAdded(new ExecSpec(World.EXEC, new StdioPaths("", "", "", false), "{}"));
    world.at.put(Call.EXEC, 2);
  }

  private void startExec(World world, int at) throws Exception {
    Saved.Exec exec = world.exec().orElseThrow();
    if (world.again.get(Call.START_EXEC) && at == 1) {
      if (exec.process().isPresent()) {
        reply(world, Call.START_EXEC, Integer.toString(World.EXEC_PID)); // it had been started
        return;
      }
      reply(world, Call.START_EXEC, UNAVAILABLE); // what runc may have started has been killed
      return;
    }
    switch (at) {
      case 1 -> {
        if (world.life[0] != Life.RUNS) { // as runc finds
          reply(world, Call.START_EXEC, "refused");
          return;
        }
        world.life[1] = Life.RUNS;
      }
      case 2 -> world.parked[1] = true;
      case 3 -> events(world).execStarted(World.EXEC, World.EXEC_PID);
      default -> {
        reply(world, Call.START_EXEC, Integer.toString(World.EXEC_PID));
        return;
      }
    }
    world.at.put(Call.START_EXEC, at + 1);
  }

  private void kill(World world) {
    if (world.again.get(Call.KILL) && world.at.get(Call.KILL) == 1 && world.init().isPresent()
        && world.initState() == InitState.STOPPED) {
      reply(world, Call.KILL, "ok");
      return;
    }
    boolean gone = world.container().isEmpty() || world.life[0] == Life.ZOMBIE || world.life[0] == Life.REAPED;
    if (world.at.get(Call.KILL) == 1 && !gone) {
      end(world, 0, KILLED);
      world.at.put(Call.KILL, 2);
    } else {
      reply(world, Call.KILL, world.at.get(Call.KILL) == 2 ? "ok" : "not found");
    }
  }

  private void delete(World world) throws Exception {
    Optional<ByteString> before = world.state().get(Kinds.DELETED, World.ID);
    if (before.isPresent()) {
      reply(world, Call.DELETE, "status " + DeletedEntry.parseFrom(before.get()).getExitStatus());
      return;
    }
    if (!allowed(() -> world.initState().check(InitState.Operation.DELETE))) {
      reply(world, Call.DELETE, "refused");
      return;
    }
    events(world).deleted(World.INIT_PID, Notes.exit(world.init().orElseThrow()), () -> { });
  }

  private static boolean allowed(Runnable check) {
    try {
      check.run();
      return true;
    } catch (StatusException e) {
      return false;
    }
  }

  // Ends of processes, and events.

  /** The status that a Wait is told; empty while it waits. */
  private Optional<Integer> seenEnd(World world) {
    if (fault == Fault.SHOWN_FIRST && world.exitThread[0] > 0) {
      return Optional.of(world.reaped[0]);
    }
    return world.init().filter(init -> init.getState() == ProcessState.PROCESS_STOPPED)
        .map(init -> Notes.exit(init).status());
  }

  private void exit(World world, int process, List<Named> steps) {
    boolean known = process == 0 ? world.init().isPresent() && world.initState() != InitState.STOPPED
        : world.execRuns();
    boolean ended = world.life[process] == Life.ZOMBIE || world.life[process] == Life.REAPED;
    int at = world.exitThread[process];
    String name = "end of " + process;
    if (at == 0 && known && ended) {
      steps.add(new Named(name + " is seen", w -> {
        reap(w, process);
        writeStatus(w, process);
      }));
      ifKilled(world, steps, name + " is seen, and not written down before SIGKILL", w -> reap(w, process));
    } else if (at == 2 && !(process == 0 && (world.order || world.execRuns() || startingExec(world)))) {
      steps.add(new Named(name + " is written", w -> publish(w, process)));
    } else if (at == 3) {
      steps.add(new Named(name + " is written, second entry", w -> publishEvent(w, process)));
    }
  }

  /** The gate: while an exec is being started or runs, the init's end is not told. */
  private static boolean startingExec(World world) {
    int at = world.at.get(Call.START_EXEC);
    return at >= 2 && at < REPLYING || at == 1 && world.again.get(Call.START_EXEC);
  }

  private void reap(World world, int process) {
    Optional<ProcessEntry> before = process == 0 ? world.container().orElseThrow().reaped()
        : world.exec().orElseThrow().reaped();
    if (before.isPresent()) {
      world.reaped[process] = before.get().getExitStatus();
      world.exitThread[process] = 2;
      return;
    }
    boolean ours = world.life[process] == Life.ZOMBIE;
    world.life[process] = Life.REAPED;
    world.reaped[process] = ours || kernelTells && world.parked[process] ? world.status[process] : UNKNOWN;
    world.exitThread[process] = 1;
  }

  /** What comes next may take long. */
  private void writeStatus(World world, int process) {
    if (world.exitThread[process] == 2) {
      return; // an earlier daemon has
    }
    if (fault != Fault.PIDFD_GIVEN_UP_FIRST) {
      world.record.write(process == 0 ? Notes.reaped(World.ID, World.INIT_PID, world.reaped[0])
          : Notes.reaped(World.PROCESS, World.EXEC_PID, world.reaped[1]));
    }
    world.parked[process] = false;
    world.exitThread[process] = 2;
  }

  private void publish(World world, int process) throws Exception {
    var exit = new Exit(world.reaped[process], Instant.EPOCH);
    if (fault == Fault.EVENT_APART) {
      world.record.write(process == 0 ? Notes.ended(Kinds.INIT, World.ID, World.INIT_PID, exit)
          : Notes.ended(Kinds.EXEC_PROCESS, World.PROCESS, World.EXEC_PID, exit));
      world.exitThread[process] = 3;
      return;
    }
    publishEvent(world, process);
  }

  private void publishEvent(World world, int process) throws Exception {
    var exit = new Exit(world.reaped[process], Instant.EPOCH);
    if (process == 0) {
      events(world).exited(World.INIT_PID, exit, false, () -> { });
    } else {
      events(world).execExited(World.EXEC, World.EXEC_PID, exit, () -> { });
    }
    world.exitThread[process] = 4;
  }

  private void deliver(World world, List<Named> steps) {
    if (world.saved().events().isEmpty()) {
      return;
    }
    steps.add(new Named("an event is delivered", w -> {
      w.delivered.add(outbox(w).head());
      outbox(w).acknowledged();
    }));
    ifKilled(world, steps, "an event is delivered, and not acknowledged before SIGKILL",
        w -> w.delivered.add(outbox(w).head()));
  }

  private static StillOutbox outbox(World world) {
    return new StillOutbox(world.record, world.saved().events());
  }

  private static TaskEvents events(World world) {
    return new TaskEvents(World.ID, outbox(world).outbox());
  }
}
