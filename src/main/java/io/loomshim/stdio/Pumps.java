package io.loomshim.stdio;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Fd;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The pumps of one process. Added by the thread that starts it; then any thread may call, one at a time. */
final class Pumps {
  /** How long a pipe may be kept open by others after the end of the process before its client's end is closed. */
  static final Duration LEFT_OPEN_MAX = Duration.ofSeconds(2);

  static final String STDIN = "stdin";
  private static final List<String> OUTPUTS = List.of("stdout", "stderr");

  /** Makes the pump of a stream from its two ends, which that owns from then on. */
  interface Start {
    Pump pump(String name, Fd from, Fd to) throws IOException;
  }

  private final String name;
  private final List<Pump> outputs = new ArrayList<>();
  private final List<String> streams = new ArrayList<>(); // what these move
  private final List<Pump> inputs = new ArrayList<>();
  private volatile boolean waitedFor;

  /** {@code name}: what the threads of the streams are called after. */
  Pumps(String name) {
    this.name = name;
  }

  /** Begins to move a stream, between two ends that are this object's from then on. */
  void add(String stream, Start start, Fd from, Fd to) throws IOException {
    Pump pump = start.pump(name + "/" + stream, from, to);
    if (stream.equals(STDIN)) {
      inputs.add(pump);
    } else {
      streams.add(stream);
      outputs.add(pump);
    }
  }

  /** Goes on with what {@link #held} was another daemon's. */
  void resume(Roles roles, StdioPaths paths) throws IOException {
    for (String stream : OUTPUTS) {
      String path = stream.equals("stdout") ? paths.stdout() : paths.stderr();
      resume(stream, stream, roles, Pump::betweenPipes, "");
      resume(stream, stream + FilePump.TO_FILE, roles, toFile(stream + FilePump.TO_FILE, roles), path);
    }
    resume(STDIN, STDIN, roles, Pump::betweenPipes, "");
    resume(STDIN, STDIN + FilePump.FROM_FILE, roles, FilePump::fromFile, paths.stdin());
  }

  private static Start toFile(String role, Roles roles) {
    Optional<Fd> stage = roles.take(role + FilePump.STAGE);
    return (name, from, to) -> stage.isPresent() ? FilePump.toFile(name, from, to, stage.get())
        : FilePump.toFile(name, from, to);
  }

  /** {@code path}: what the client has named, if that is a file. */
  private void resume(String stream, String role, Roles roles, Start start, String path) throws IOException {
    Optional<Fd> from = roles.take(role + Held.FROM, path);
    Optional<Fd> to = roles.take(role + Held.TO, path);
    if (from.isPresent() && to.isPresent()) {
      add(stream, start, from.get(), to.get());
    }
  }

  List<Held> held() {
    var held = new ArrayList<Held>();
    for (Pump input : inputs) {
      held.addAll(input.held(STDIN));
    }
    for (int i = 0; i < outputs.size(); i++) {
      held.addAll(outputs.get(i).held(streams.get(i)));
    }
    return held;
  }

  /** From now on {@code action} is run at the end of each. */
  void onEnd(Runnable action) {
    for (Pump pump : inputs) {
      pump.onEnd(action);
    }
    for (Pump pump : outputs) {
      pump.onEnd(action);
    }
  }

  void awaitForwarded(Deadline deadline) throws InterruptedException {
    for (Pump pump : outputs) {
      pump.askForTurn();
    }
    for (Pump pump : outputs) {
      pump.awaitTurn(deadline);
    }
  }

  boolean awaitDrained(Deadline deadline) throws InterruptedException {
    waitedFor = true;
    Deadline leftOpen = Deadline.in(LEFT_OPEN_MAX);
    for (Pump pump : outputs) {
      if (!pump.awaitEnd(deadline.nanosLeft() < leftOpen.nanosLeft() ? deadline : leftOpen) && !deadline.passed()) {
        pump.finish();
      }
    }
    for (Pump pump : outputs) {
      if (!pump.awaitEnd(deadline)) {
        return false;
      }
    }
    return true;
  }

  void stop() {
    for (Pump pump : inputs) {
      pump.stop();
    }
    for (Pump pump : outputs) {
      if (waitedFor) {
        pump.stop();
      } else {
        pump.finish();
      }
    }
  }
}
