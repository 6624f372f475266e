package io.loomshim.container;

import io.loomshim.event.Outbox;
import io.loomshim.metrics.Flight;
import io.loomshim.metrics.Subject;
import io.loomshim.proto.events.TaskCreate;
import io.loomshim.proto.events.TaskDelete;
import io.loomshim.proto.events.TaskExecAdded;
import io.loomshim.proto.events.TaskExecStarted;
import io.loomshim.proto.events.TaskExit;
import io.loomshim.proto.events.TaskIO;
import io.loomshim.proto.events.TaskOOM;
import io.loomshim.proto.events.TaskPaused;
import io.loomshim.proto.events.TaskResumed;
import io.loomshim.proto.events.TaskStart;
import io.loomshim.record.Change;
import io.loomshim.record.Kinds;
import io.loomshim.stdio.StdioPaths;
import java.util.Map;

/**
 * The events of one container, for containerd and for JFR. Adding one never blocks, so it may be done under a lock,
 * which then orders them. What an event tells of is written down together with it.
 */
record TaskEvents(String id, Outbox outbox) {
  private static final Change[] NOTHING = {};

  private boolean keeps() {
    return outbox.keeps();
  }

  void created(ContainerSpec spec, InitState state, int pid) {
    StdioPaths stdio = spec.stdio();
    var io =
        TaskIO.newBuilder()
            .setStdin(stdio.stdin())
            .setStdout(stdio.stdout())
            .setStderr(stdio.stderr())
            .setTerminal(stdio.terminal());
    var event =
        TaskCreate.newBuilder()
            .setContainerId(id)
            .setBundle(spec.bundle().toString())
            .addAllRootfs(spec.rootfs())
            .setIo(io)
            .setPid(pid);
    if (spec.checkpoint().isPresent()) {
      event.setCheckpoint(spec.checkpoint().get().toString());
    }
    outbox.add(event.build(), keeps() ? new Change[] {Notes.init(id, state, pid)} : NOTHING);
  }

  void started(int pid, Runnable then) {
    Flight.processStarted(id, "", pid);
    outbox.add(TaskStart.newBuilder().setContainerId(id).setPid(pid).build(), then,
        keeps() ? new Change[] {Notes.init(id, InitState.RUNNING, pid)} : NOTHING);
  }

  void execAdded(ExecSpec exec) {
    outbox.add(TaskExecAdded.newBuilder().setContainerId(id).setExecId(exec.id()).build(),
        keeps() ? new Change[] {Notes.added(process(exec.id()), exec)} : NOTHING);
  }

  void execStarted(String execId, int pid) {
    Flight.processStarted(id, execId, pid);
    outbox.add(TaskExecStarted.newBuilder().setContainerId(id).setExecId(execId).setPid(pid).build(),
        keeps() ? new Change[] {Notes.execRuns(process(execId), pid)} : NOTHING);
  }

  void paused() {
    outbox.add(TaskPaused.newBuilder().setContainerId(id).build(),
        keeps() ? new Change[] {Notes.paused(id)} : NOTHING);
  }

  void resumed() {
    outbox.add(TaskResumed.newBuilder().setContainerId(id).build(),
        keeps() ? new Change[] {Notes.resumed(id)} : NOTHING);
  }

  /** One event for each of {@code times}; {@code counted} is written down with the last. */
  void outOfMemory(long times, Map<Long, Long> counted) {
    TaskOOM event = TaskOOM.newBuilder().setContainerId(id).build();
    for (long i = 1; i < times; i++) {
      outbox.add(event);
    }
    outbox.add(event, keeps() ? new Change[] {Notes.kills(id, counted)} : NOTHING);
  }

  /** {@code gone}: the container has been deleted, and there may be another of its name. */
  void exited(int pid, Exit exit, boolean gone, Runnable then) {
    Flight.processEnded(id, "", pid, exit.status());
    if (gone) {
      exited(id, pid, exit, then);
    } else {
      exited(id, pid, exit, then, keeps() ? Notes.told(Kinds.INIT, id, pid, exit) : NOTHING);
    }
  }

  void execExited(String execId, int pid, Exit exit, Runnable then) {
    Flight.processEnded(id, execId, pid, exit.status());
    exited(execId, pid, exit, then,
        keeps() ? Notes.told(Kinds.EXEC_PROCESS, process(execId), pid, exit) : NOTHING);
  }

  private String process(String execId) {
    return Subject.of(id, execId).toString();
  }

  private void exited(String processId, int pid, Exit exit, Runnable then, Change... ended) {
    outbox.add(
        TaskExit.newBuilder()
            .setContainerId(id)
            .setId(processId)
            .setPid(pid)
            .setExitStatus(exit.status())
            .setExitedAt(exit.timestamp())
            .build(),
        then, ended);
  }

  void deleted(int pid, Exit exit, Runnable then) {
    outbox.add(
        TaskDelete.newBuilder()
            .setContainerId(id)
            .setPid(pid)
            .setExitStatus(exit.status())
            .setExitedAt(exit.timestamp())
            .build(),
        then, keeps() ? Notes.deleted(id, pid, exit) : NOTHING);
  }
}
