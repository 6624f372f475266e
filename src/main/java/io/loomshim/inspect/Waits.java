package io.loomshim.inspect;

import io.loomshim.metrics.Units;
import io.loomshim.runc.RuncCalls;
import io.loomshim.threads.Aside;
import io.loomshim.ttrpc.Call;
import java.util.List;
import java.util.Map;

/**
 * Says what a call in flight waits for: a file system that does not answer, else the command of the runtime that its
 * thread runs, else the first frame in this program that has a meaning, else the first one. Stateless.
 */
final class Waits {
  private static final String OURS = "io.loomshim.";

  /** Frames and their meaning for an operator. A test checks that they exist. */
  static final Map<String, String> MEANINGS = Map.of(
      "io.loomshim.container.ExitLatch.await", "the end of the process",
      "io.loomshim.container.ExecGate.awaitNone", "the execs of the container to end",
      "io.loomshim.stdio.Fifos.openWriter", "a client at the other end of a fifo",
      "io.loomshim.ttrpc.FrameWriter.write", "the client to read the reply");

  /** Classes whose lock lets through one call for a container or exec at a time. */
  static final List<String> ONE_AT_A_TIME = List.of("io.loomshim.container.InitProcess",
      "io.loomshim.container.InitLife", "io.loomshim.container.Pausing", "io.loomshim.container.ExecProcess");

  private Waits() {}

  static String of(Call call, List<Aside.Running> steps, List<RuncCalls.Running> commands, long now) {
    for (Aside.Running step : steps) {
      if (call.isOn(step.caller()) && !step.left()) {
        return "a file system: " + step.what() + " since " + Units.age((now - step.startNanos()) / 1_000_000);
      }
    }
    for (RuncCalls.Running command : commands) {
      if (call.isOn(command.thread())) {
        return "runc " + command.command() + " since " + Units.age((now - command.startNanos()) / 1_000_000);
      }
    }
    return of(call.stack());
  }

  static String of(StackTraceElement[] stack) {
    boolean lock = false;
    String first = "";
    for (StackTraceElement frame : stack) {
      String name = frame.getClassName();
      lock |= name.startsWith("java.util.concurrent.locks.ReentrantLock");
      if (name.startsWith(OURS)) {
        String place = name + "." + frame.getMethodName();
        if (first.isEmpty() && lock && ONE_AT_A_TIME.contains(name)) {
          return "an earlier call for the same process";
        }
        if (MEANINGS.containsKey(place)) {
          return MEANINGS.get(place);
        }
        first = first.isEmpty() ? place.substring(OURS.length()) + ":" + frame.getLineNumber() : first;
      }
    }
    return first;
  }
}
