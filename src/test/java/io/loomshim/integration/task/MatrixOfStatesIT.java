package io.loomshim.integration.task;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every call in every state, each in a container of its own: our answer, the state afterwards and the events are the
 * Go shim's, except where {@link #DIFFERENCES} says what each of both does; docs/DIFFERENCES.md says why.
 */
@Tag("any-jdk")
final class MatrixOfStatesIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final String EXEC = "x";

  /** What the two shims answer where they differ; nothing from one that does not survive the question. */
  private record Answers(String go, String ours) {}

  private static final Map<String, Answers> DIFFERENCES = differences();

  private static Map<String, Answers> differences() {
    var all = new HashMap<String, Answers>();
    all.put("CREATED / Delete", new Answers("", // a Wait for it would never end
        "no error: true 137 now | gone | [create, exit ID 137, delete 137]"));
    all.put("STOPPED / Delete", new Answers(
        "no error: true 137 now | STOPPED | [create, start, exit ID 137, delete 137]",
        "no error: true 137 now | gone | [create, start, exit ID 137, delete 137]"));
    all.put("NONE / Connect", new Answers("no error: true false [] | gone | []",
        "5 container not created: not found | gone | []"));
    String stopped = " processes | STOPPED | " + State.STOPPED.events();
    all.put("STOPPED / Pids", new Answers("no error: 0" + stopped, "no error: 1" + stopped));
    for (State state : List.of(State.CREATED, State.RUNNING, State.PAUSED, State.STOPPED)) {
      String rest = " | " + state + " | " + state.events();
      all.put(state + " / Create", new Answers(
          "2 OCI runtime create failed: runc create failed: container with given ID already exists" + rest,
          "6 container ID: already exists" + rest));
      if (state != State.STOPPED) {
        String kill = "2 unknown error after kill: runc did not terminate successfully: ";
        all.put(state + " / Kill 999", new Answers(
            kill + "exit status 1: unable to signal init: invalid argument" + rest,
            kill + "unable to signal init: invalid argument" + rest));
      }
    }
    for (String signal : List.of("TERM", "999")) { // runc thaws what it signals as a whole
      all.put("PAUSED / Kill " + signal + " all", new Answers("no error: done | PAUSED | " + State.PAUSED.events(),
          "no error: done | RUNNING | " + State.PAUSED.events()));
    }
    String added = " | STOPPED CREATED | [create, start, exec-added x, exit ID 137, delete 137]";
    all.put("exec ADDED_IN_STOPPED / Start", new Answers(
        "2 OCI runtime exec failed: exec failed: cannot exec in a stopped container" + added,
        "9 container ID init process is not running: failed precondition" + added));
    all.put("exec FAILED / Start", new Answers("", "2 OCI runtime exec failed: exec failed: unable to start container "
        + "process: exec: \"no-such-program\": executable file not found in $PATH | RUNNING CREATED | "
        + "[create, start, exec-added x, exit ID 137, delete 137]"));
    return all;
  }

  /** How a container comes into a state. */
  enum State {
    NONE,
    CREATED,
    RUNNING,
    PAUSED,
    STOPPED,
    DELETED;

    /** All events of a container that is asked something without effect in this state, and then killed and deleted. */
    String events() {
      return "[create" + (this == CREATED ? "" : ", start") + (this == PAUSED ? ", paused" : "")
          + ", exit ID 137, delete 137]";
    }

    void reach(ShimClient task) {
      if (this == NONE) {
        return;
      }
      task.create();
      if (this == CREATED) {
        return;
      }
      task.start();
      switch (this) {
        case PAUSED -> task.pause();
        case STOPPED, DELETED -> {
          task.kill(ShimClient.KILL, "");
          task.await("");
          if (this == DELETED) {
            task.delete("");
          }
        }
        default -> { }
      }
    }
  }

  /** How an exec comes into a state, and what its container does meanwhile. */
  enum ExecState {
    UNKNOWN,
    ADDED,
    RUNNING,
    STOPPED,
    FAILED,
    DELETED,
    ADDED_IN_PAUSED,
    RUNNING_IN_PAUSED,
    STOPPED_IN_PAUSED,
    ADDED_IN_STOPPED,
    STOPPED_IN_STOPPED;

    void reach(ShimClient task) {
      task.create();
      task.start();
      if (this == UNKNOWN) {
        return;
      }
      task.exec(EXEC, this == FAILED ? "no-such-program" : "sleep", "1000");
      switch (this) {
        case ADDED, ADDED_IN_PAUSED, ADDED_IN_STOPPED -> { }
        case FAILED -> failure(() -> task.start(EXEC));
        default -> task.start(EXEC);
      }
      switch (this) {
        case STOPPED, STOPPED_IN_PAUSED, DELETED -> {
          task.kill(ShimClient.KILL, EXEC);
          task.await(EXEC);
        }
        default -> { }
      }
      if (this == DELETED) {
        task.delete(EXEC);
      } else if (name().endsWith("IN_PAUSED")) {
        task.pause();
      } else if (name().endsWith("IN_STOPPED")) {
        task.kill(ShimClient.KILL, "");
        task.await("");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyCallAboutAContainer(State state) {
    var calls = new LinkedHashMap<>(Calls.ofProcesses());
    calls.putAll(Calls.ofContainers());
    if (state != State.RUNNING && state != State.PAUSED) {
      calls.put("Checkpoint", Calls.checkpoint());
    }
    if (state == State.NONE) {
      calls.remove("Create"); // would succeed
    }
    if (state == State.NONE || state == State.STOPPED || state == State.DELETED) {
      calls.put("Wait", Calls.await());
    }
    if (state == State.DELETED) {
      forgotten(calls);
      return;
    }
    compare(calls, state.name(), (task, call) -> {
      state.reach(task);
      String answer = calls.get(call).of(task, "");
      if (state == State.CREATED && call.startsWith("Kill TERM")) {
        task.await(""); // runc's own process is there and does not ignore it
      }
      return answer;
    });
  }

  @ParameterizedTest
  @EnumSource
  void everyCallAboutAnExec(ExecState state) {
    var calls = new LinkedHashMap<>(Calls.ofProcesses());
    calls.put("Exec again", (task, exec) -> Differential.plain(failure(() -> task.exec(exec, "true")), task.id()));
    if (state.name().startsWith("STOPPED") || state == ExecState.UNKNOWN || state == ExecState.DELETED) {
      calls.put("Wait", Calls.await());
    }
    if (state.name().startsWith("ADDED") || state.name().endsWith("PAUSED") || state == ExecState.FAILED) {
      calls.remove("Kill KILL"); // would wait for what does not end
      calls.remove("Kill KILL all");
    }
    if (state == ExecState.ADDED_IN_PAUSED) {
      calls.remove("Start"); // a runc that waits for a frozen container
    }
    compare(calls, "exec " + state.name(), (task, call) -> {
      state.reach(task);
      String answer = calls.get(call).of(task, EXEC);
      if (state == ExecState.RUNNING && call.startsWith("Kill TERM")) {
        task.await(EXEC);
      }
      return answer;
    });
  }

  /** Where the Go shim keeps what is left of its one container, ours knows as much as before it existed. */
  private static void forgotten(Map<String, Calls.Call> calls) {
    Shim.assumeOurs("the Go shim remembers a deleted container");
    for (var call : calls.entrySet()) {
      try (var task = BED.shims().start(Shim.tested(), BED.shims().bundle(Names.id("matrix"), "sleep", "1000"))) {
        if (!call.getKey().equals("Create")) {
          // before, Connect is for a container whose Create has not come after its start
          String before = call.getKey().equals("Connect") ? "no error: true false []" : call.getValue().of(task, "");
          State.DELETED.reach(task);
          assertEquals(before, call.getValue().of(task, ""), call::getKey);
        }
      }
    }
  }

  private interface Scenario {
    String play(ShimClient task, String call);
  }

  private static void compare(Map<String, ?> calls, String state, Scenario scenario) {
    var problems = new ArrayList<String>();
    for (String call : calls.keySet()) {
      String key = state + " / " + call;
      var known = Optional.ofNullable(DIFFERENCES.get(key));
      boolean fatal = known.isPresent() && known.get().go().isEmpty();
      if (fatal && !Shim.tested().ours()) {
        continue;
      }
      String go = fatal ? "" : play(Shim.reference(), call, scenario);
      String ours = play(Shim.tested(), call, scenario);
      var expected = Shim.tested().ours() && known.isPresent() ? known.get() : new Answers(go, go);
      if (!expected.equals(new Answers(go, ours))) {
        problems.add(key + "\n  Go shim: " + go + "\n  ours:    " + ours);
      }
    }
    assertEquals(List.of(), problems, () -> String.join("\n", problems));
  }

  /** The answer, the states of both processes afterwards and the events until the container is deleted. */
  private static String play(Shim shim, String call, Scenario scenario) {
    try (var task = BED.shims().start(shim, BED.shims().bundle(Names.id("matrix"), "sleep", "1000"))) {
      String answer = scenario.play(task, call).strip();
      String after = (status(task, "") + " " + status(task, EXEC)).strip();
      failure(() -> task.resume());
      failure(() -> task.kill(ShimClient.KILL, ""));
      failure(() -> task.await(""));
      failure(() -> task.delete(""));
      return answer + " | " + after + " | " + events(task, call.equals("Resume"));
    }
  }

  private static String status(ShimClient task, String exec) {
    String status = ShimClient.error(() -> task.state(exec).getStatus());
    if (status.endsWith("container not created: not found")) {
      return exec.isEmpty() ? "gone" : "";
    }
    return status.endsWith("process does not exist " + exec + ": not found") ? "" : status.replace("no error: ", "");
  }

  /** Without the resumption for the sake of the end, which execs may overtake that a signal ends then. */
  private static List<String> events(ShimClient task, boolean resumed) {
    var sink = BED.shims().sink();
    var seen = sink.of(BED.shims().namespace(), task.id());
    if (!seen.isEmpty()) {
      seen = sink.until(BED.shims().namespace(), task.id(), "/tasks/delete");
      Await.until("the exit of " + task.id(), () -> sink.of(BED.shims().namespace(), task.id()).stream()
          .anyMatch(e -> e.topic().equals("/tasks/exit") && e.process().equals(task.id())));
      seen = sink.of(BED.shims().namespace(), task.id());
    }
    var lines = new ArrayList<String>();
    for (var event : seen) {
      String what = event.topic().substring("/tasks/".length());
      if (resumed || !what.equals("resumed")) {
        lines.add(what + (event.process().isEmpty() ? "" : " " + Differential.plain(event.process(), task.id()))
            + (event.status() < 0 ? "" : " " + event.status()));
      }
    }
    return lines;
  }
}
