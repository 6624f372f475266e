package io.loomshim.integration.task;

import com.google.protobuf.Empty;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.proto.task.CheckpointTaskRequest;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.StateResponse;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * Every call of the task service as a function of a task and a process, which gives what can be compared between
 * two shims: the reply without pids, ids and times, or the code and text of the error.
 */
final class Calls {
  /** A call about the exec {@code exec}, or about the init for an empty name. */
  interface Call {
    String of(ShimClient task, String exec);
  }

  private static final int TERM = 15;
  private static final int NO_SIGNAL = 999;

  private Calls() {}

  /** A call that gives nothing but success. */
  private interface Order {
    void to(ShimClient task, String exec);
  }

  private static Call order(Order order) {
    return (task, exec) -> seen(task, t -> {
      order.to(t, exec);
      return "done";
    });
  }

  private static String seen(ShimClient task, Function<ShimClient, String> call) {
    return Differential.plain(ShimClient.error(() -> call.apply(task)), task.id());
  }

  /** The calls that are for every process, by name. */
  static Map<String, Call> ofProcesses() {
    var calls = new LinkedHashMap<String, Call>();
    calls.put("State", (task, exec) -> seen(task, t -> text(t, exec)));
    calls.put("Start", (task, exec) -> seen(task, t -> t.start(exec) > 0 ? "pid" : "no pid"));
    calls.put("Delete", (task, exec) -> seen(task, t -> {
      var reply = t.delete(exec);
      return (reply.getPid() > 0) + " " + reply.getExitStatus() + " " + when(reply.getExitedAt().getSeconds());
    }));
    calls.put("Kill 0", order((t, exec) -> t.kill(0, exec)));
    calls.put("Kill 999", order((t, exec) -> t.kill(NO_SIGNAL, exec)));
    calls.put("Kill TERM", order((t, exec) -> t.kill(TERM, exec)));
    calls.put("Kill TERM all", order((t, exec) -> killAll(t, exec, TERM)));
    calls.put("Kill 999 all", order((t, exec) -> killAll(t, exec, NO_SIGNAL)));
    calls.put("Kill KILL", order((t, exec) -> {
      t.kill(ShimClient.KILL, exec);
      t.await(exec);
    }));
    calls.put("Kill KILL all", order((t, exec) -> {
      killAll(t, exec, ShimClient.KILL);
      t.await(exec);
    }));
    calls.put("CloseIO", order(ShimClient::closeIo));
    calls.put("CloseIO twice", order((t, exec) -> {
      t.closeIo(exec);
      t.closeIo(exec);
    }));
    calls.put("ResizePty", order((t, exec) -> t.resize(exec, 80, 25)));
    return calls;
  }

  /** The calls that are for the container as a whole. */
  static Map<String, Call> ofContainers() {
    var calls = new LinkedHashMap<String, Call>();
    calls.put("Create", (task, exec) -> seen(task, t -> t.create() > 0 ? "pid" : "no pid"));
    calls.put("Pause", order((t, exec) -> t.pause()));
    calls.put("Resume", order((t, exec) -> t.resume()));
    calls.put("Update", order((t, exec) -> t.update("{\"pids\":{\"limit\":50}}")));
    calls.put("Exec", order((t, exec) -> t.exec("added", "true")));
    calls.put("Pids", (task, exec) -> seen(task, t -> t.pids().getProcessesCount() + " processes"));
    calls.put("Stats", (task, exec) -> seen(task, t -> t.stats().getTypeUrl()));
    calls.put("Connect", (task, exec) -> seen(task, t -> {
      var reply = t.connect();
      return (reply.getShimPid() > 0) + " " + (reply.getTaskPid() > 0) + " [" + reply.getVersion() + "]";
    }));
    return calls;
  }

  /** Only for states that refuse it. */
  static Call checkpoint() {
    return order((t, exec) -> t.call(t.service(), "Checkpoint",
        CheckpointTaskRequest.newBuilder().setId(t.id()).setPath("/nonexistent/image").build(), Empty.parser()));
  }

  /** Only for processes that end or have ended. */
  static Call await() {
    return (task, exec) -> seen(task, t -> {
      var reply = t.await(exec);
      return reply.getExitStatus() + " " + when(reply.getExitedAt().getSeconds());
    });
  }

  static void killAll(ShimClient task, String exec, int signal) {
    var request = KillRequest.newBuilder().setId(task.id()).setExecId(exec).setSignal(signal).setAll(true).build();
    task.call(task.service(), "Kill", request, Empty.parser());
  }

  /** What State tells of a process, without pids and times. */
  static String text(ShimClient task, String exec) {
    StateResponse state = task.state(exec);
    return state.getId() + " " + state.getBundle() + " " + (state.getPid() > 0 ? "pid" : "no pid") + " "
        + state.getStatus() + " [" + state.getStdin() + state.getStdout() + state.getStderr() + state.getTerminal()
        + "] " + state.getExitStatus() + " " + when(state.getExitedAt().getSeconds()) + " [" + state.getExecId() + "]";
  }

  private static String when(long seconds) {
    return seconds < 0 ? "never" : "now";
  }
}
