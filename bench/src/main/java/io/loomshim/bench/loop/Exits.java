package io.loomshim.bench.loop;

import io.loomshim.proto.events.TaskExit;
import io.loomshim.proto.task.WaitResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The Waits that are not answered yet, by process. A Wait is a few objects in a list here and no thread; the event of
 * an exit answers all of a process. Any thread may call; the map is concurrent, and a list is changed only while the
 * map holds its place.
 */
final class Exits {
  private final ConcurrentHashMap<String, List<PendingCall>> waiting = new ConcurrentHashMap<>();

  /** {@code exec} is empty for the first process of a container. */
  void add(String container, String exec, PendingCall call) {
    waiting.compute(container + "/" + exec, (key, calls) -> {
      List<PendingCall> list = calls == null ? new ArrayList<>(1) : calls;
      list.add(call);
      return list;
    });
  }

  /** The caller has gone. */
  void remove(String container, String exec, PendingCall call) {
    waiting.computeIfPresent(container + "/" + exec, (key, calls) -> {
      calls.remove(call);
      return calls.isEmpty() ? null : calls;
    });
  }

  /** How many are not answered. */
  int count() {
    return waiting.values().stream().mapToInt(List::size).sum();
  }

  /** A process has ended. */
  void ended(TaskExit exit) {
    String exec = exit.getId().equals(exit.getContainerId()) ? "" : exit.getId();
    List<PendingCall> calls = waiting.remove(exit.getContainerId() + "/" + exec);
    if (calls != null) {
      WaitResponse response = WaitResponse.newBuilder().setExitStatus(exit.getExitStatus())
          .setExitedAt(exit.getExitedAt()).build();
      calls.forEach(call -> call.reply(response));
    }
  }
}
