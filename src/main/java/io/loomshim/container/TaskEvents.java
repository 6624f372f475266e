package io.loomshim.container;

import com.google.protobuf.Timestamp;
import io.loomshim.event.Outbox;
import io.loomshim.insight.Flight;
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
import io.loomshim.stdio.StdioPaths;
import java.time.Instant;

/**
 * The events of one container, for containerd and for JFR. Adding one never blocks, so it may be done under a lock,
 * which then orders them.
 */
record TaskEvents(String id, Outbox outbox) {
  void created(ContainerSpec spec, int pid) {
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
    outbox.add(event.build());
  }

  void started(int pid) {
    Flight.processStarted(id, "", pid);
    outbox.add(TaskStart.newBuilder().setContainerId(id).setPid(pid).build());
  }

  void execAdded(String execId) {
    outbox.add(TaskExecAdded.newBuilder().setContainerId(id).setExecId(execId).build());
  }

  void execStarted(String execId, int pid) {
    Flight.processStarted(id, execId, pid);
    outbox.add(TaskExecStarted.newBuilder().setContainerId(id).setExecId(execId).setPid(pid).build());
  }

  void paused() {
    outbox.add(TaskPaused.newBuilder().setContainerId(id).build());
  }

  void resumed() {
    outbox.add(TaskResumed.newBuilder().setContainerId(id).build());
  }

  void outOfMemory() {
    outbox.add(TaskOOM.newBuilder().setContainerId(id).build());
  }

  void exited(int pid, Exit exit) {
    Flight.processEnded(id, "", pid, exit.status());
    exited(id, pid, exit);
  }

  void execExited(String execId, int pid, Exit exit) {
    Flight.processEnded(id, execId, pid, exit.status());
    exited(execId, pid, exit);
  }

  private void exited(String processId, int pid, Exit exit) {
    outbox.add(
        TaskExit.newBuilder()
            .setContainerId(id)
            .setId(processId)
            .setPid(pid)
            .setExitStatus(exit.status())
            .setExitedAt(timestamp(exit.at()))
            .build());
  }

  void deleted(int pid, Exit exit) {
    outbox.add(
        TaskDelete.newBuilder()
            .setContainerId(id)
            .setPid(pid)
            .setExitStatus(exit.status())
            .setExitedAt(timestamp(exit.at()))
            .build());
  }

  private static Timestamp timestamp(Instant at) {
    return Timestamp.newBuilder().setSeconds(at.getEpochSecond()).setNanos(at.getNano()).build();
  }
}
