package io.loomshim.container;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.loomshim.cgroup.Cgroup;
import io.loomshim.proto.record.CgroupEntry;
import io.loomshim.proto.record.ContainerEntry;
import io.loomshim.proto.record.DeletedEntry;
import io.loomshim.proto.record.ExecEntry;
import io.loomshim.proto.record.KillsEntry;
import io.loomshim.proto.record.ProcessEntry;
import io.loomshim.proto.record.ProcessState;
import io.loomshim.proto.record.StdioEntry;
import io.loomshim.record.Change;
import io.loomshim.record.Kinds;
import io.loomshim.record.Saved;
import io.loomshim.stdio.StdioPaths;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What is written down of a container and its processes, and what is read from that. Stateless. Each change is for the
 * journal, together with the event that tells of it; a process is named by {@code ID} or {@code ID/EXEC}.
 */
final class Notes {
  private Notes() {}

  /** A Create has come. */
  static Change asked(ContainerSpec spec) {
    var entry = ContainerEntry.newBuilder().setBundle(spec.bundle().toString()).addAllRootfs(spec.rootfs())
        .setStdio(stdio(spec.stdio())).setOptions(spec.options()).setAskedAt(timestamp(Instant.now()));
    if (spec.checkpoint().isPresent()) {
      entry.setCheckpoint(spec.checkpoint().get().toString());
    }
    return Change.put(Kinds.CONTAINER, spec.id(), entry.build());
  }

  /** What {@link #asked} has written. */
  static ContainerSpec spec(Saved.Container saved) {
    ContainerEntry entry = saved.asked();
    String checkpoint = entry.getCheckpoint();
    return new ContainerSpec(saved.id(), Path.of(entry.getBundle()), entry.getRootfsList(), stdio(entry.getStdio()),
        entry.getOptions(), checkpoint.isEmpty() ? Optional.empty() : Optional.of(Path.of(checkpoint)));
  }

  /** The init has got to this state. */
  static Change init(String id, InitState state, int pid) {
    ProcessState saved = state == InitState.RUNNING ? ProcessState.PROCESS_RUNNING
        : state == InitState.CREATED ? ProcessState.PROCESS_CREATED : ProcessState.PROCESS_CREATED_FROM_CHECKPOINT;
    return Change.put(Kinds.INIT, id, process(saved, pid));
  }

  /** The state of an init that has been created; pausing is a value of its own. */
  static InitState state(ProcessEntry init, boolean paused) {
    if (init.getState() == ProcessState.PROCESS_RUNNING) {
      return paused ? InitState.PAUSED : InitState.RUNNING;
    }
    return init.getState() == ProcessState.PROCESS_STOPPED ? InitState.STOPPED
        : init.getState() == ProcessState.PROCESS_CREATED ? InitState.CREATED : InitState.CREATED_FROM_CHECKPOINT;
  }

  /** A client has paused the container. */
  static Change paused(String id) {
    return Change.put(Kinds.PAUSED, id, ByteString.EMPTY);
  }

  /** A client has resumed it. */
  static Change resumed(String id) {
    return Change.remove(Kinds.PAUSED, id);
  }

  /** An Exec has come. */
  static Change added(String process, ExecSpec spec) {
    return Change.put(Kinds.EXEC, process,
        ExecEntry.newBuilder().setStdio(stdio(spec.stdio())).setProcess(spec.process()).build());
  }

  /** What {@link #added} has written. */
  static ExecSpec exec(Saved.Exec saved) {
    return new ExecSpec(saved.id(), stdio(saved.asked().getStdio()), saved.asked().getProcess());
  }

  /** An exec runs. */
  static Change execRuns(String process, int pid) {
    return Change.put(Kinds.EXEC_PROCESS, process, process(ProcessState.PROCESS_RUNNING, pid));
  }

  /** The state of an exec. */
  static ExecState state(Saved.Exec saved) {
    if (saved.process().isEmpty()) {
      return ExecState.CREATED;
    }
    return saved.process().get().getState() == ProcessState.PROCESS_STOPPED ? ExecState.STOPPED : ExecState.RUNNING;
  }

  /** A process has ended and been reaped: no one but the record can tell its status from now on. */
  static Change reaped(String process, int pid, int status) {
    return ended(Kinds.REAPED, process, pid, new Exit(status, Instant.now()));
  }

  /** The end of a process is told; {@code kind} is that of an init or an exec. */
  static Change[] told(int kind, String process, int pid, Exit exit) {
    return new Change[] {ended(kind, process, pid, exit), Change.remove(Kinds.REAPED, process)};
  }

  /** A process has ended; {@code kind} is that of an init or an exec. */
  static Change ended(int kind, String process, int pid, Exit exit) {
    return Change.put(kind, process, ProcessEntry.newBuilder().setState(ProcessState.PROCESS_STOPPED).setPid(pid)
        .setSince(exit.timestamp()).setExitStatus(exit.status()).build());
  }

  /** How it ended; {@link Exit#NONE} for one that has not. */
  static Exit exit(ProcessEntry process) {
    return process.getState() == ProcessState.PROCESS_STOPPED
        ? new Exit(process.getExitStatus(),
            Instant.ofEpochSecond(process.getSince().getSeconds(), process.getSince().getNanos()))
        : Exit.NONE;
  }

  /** The container's cgroup has been found. */
  static Change found(String id, Cgroup cgroup) {
    var entry = CgroupEntry.newBuilder();
    for (Map.Entry<String, Path> directory : cgroup.directories().entrySet()) {
      entry.addDirectories(CgroupEntry.Directory.newBuilder().setController(directory.getKey())
          .setPath(directory.getValue().toString()));
    }
    return Change.put(Kinds.CGROUP, id, entry.build());
  }

  /** What {@link #found} has written. */
  static Optional<Cgroup> cgroup(CgroupEntry entry) {
    var directories = new HashMap<String, Path>();
    for (CgroupEntry.Directory directory : entry.getDirectoriesList()) {
      directories.put(directory.getController(), Path.of(directory.getPath()));
    }
    return directories.isEmpty() ? Optional.empty() : Optional.of(new Cgroup(directories));
  }

  /** Kills for want of memory have been told. */
  static Change kills(String id, Map<Long, Long> counted) {
    var entry = KillsEntry.newBuilder();
    for (Map.Entry<Long, Long> count : counted.entrySet()) {
      entry.addTold(KillsEntry.Count.newBuilder().setInode(count.getKey()).setKills(count.getValue()));
    }
    return Change.put(Kinds.KILLS, id, entry.build());
  }

  /** What {@link #kills} has written. */
  static Map<Long, Long> told(KillsEntry entry) {
    var told = new HashMap<Long, Long>();
    for (KillsEntry.Count count : entry.getToldList()) {
      told.put(count.getInode(), count.getKills());
    }
    return told;
  }

  /** A client has closed the stdin of a process. */
  static Change stdinClosed(String process) {
    return Change.put(Kinds.STDIN_CLOSED, process, ByteString.EMPTY);
  }

  /** A process has been deleted, and a container with its init: only the answer is kept. */
  static Change[] deleted(String process, int pid, Exit exit) {
    var answer = DeletedEntry.newBuilder().setPid(pid).setExitStatus(exit.status()).setExitedAt(exit.timestamp());
    return new Change[] {Change.forget(process), Change.put(Kinds.DELETED, process, answer.build())};
  }

  private static ProcessEntry process(ProcessState state, int pid) {
    return ProcessEntry.newBuilder().setState(state).setPid(pid).setSince(timestamp(Instant.now())).build();
  }

  private static StdioEntry stdio(StdioPaths paths) {
    return StdioEntry.newBuilder().setStdin(paths.stdin()).setStdout(paths.stdout()).setStderr(paths.stderr())
        .setTerminal(paths.terminal()).build();
  }

  private static StdioPaths stdio(StdioEntry entry) {
    return new StdioPaths(entry.getStdin(), entry.getStdout(), entry.getStderr(), entry.getTerminal());
  }

  private static Timestamp timestamp(Instant at) {
    return Timestamp.newBuilder().setSeconds(at.getEpochSecond()).setNanos(at.getNano()).build();
  }
}
