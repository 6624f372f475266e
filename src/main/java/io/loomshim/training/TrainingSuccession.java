package io.loomshim.training;

import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.loomshim.daemon.Arguments;
import io.loomshim.daemon.Daemon;
import io.loomshim.linux.Fd;
import io.loomshim.linux.FileLock;
import io.loomshim.linux.Pipe;
import io.loomshim.linux.ProcessCalls;
import io.loomshim.proto.record.ContainerEntry;
import io.loomshim.proto.record.DaemonEntry;
import io.loomshim.proto.record.ExecEntry;
import io.loomshim.proto.record.ProcessEntry;
import io.loomshim.proto.record.ProcessState;
import io.loomshim.proto.record.StdioEntry;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.DeleteResponse;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StateResponse;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.task.WaitResponse;
import io.loomshim.record.Change;
import io.loomshim.record.Kinds;
import io.loomshim.record.Record;
import io.loomshim.shelf.Shelf;
import io.loomshim.takeover.Estate;
import io.loomshim.takeover.Labels;
import io.loomshim.threads.Threads;
import io.loomshim.ttrpc.Client;
import io.loomshim.ttrpc.Line;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The other half of the dry run of {@link Training}: a take-over. It leaves what a daemon that was killed has left, a
 * record, a shelf and a request in a socket, and has a daemon in this process go on with that.
 */
final class TrainingSuccession {
  private static final String TASK = "containerd.task.v2.Task";
  private static final String NAMESPACE = "train";
  private static final String ID = "heir";
  private static final String EXEC = "probe";
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final int SIGKILL = 9;
  private static final int FRAME_BYTES = 512;

  /** Of the Wait: the first that its client makes. */
  private static final long WAIT_ID = 1;

  /** Where the descriptors begin that are inherited; nothing here has so many. */
  private static final int INHERITED = 200;

  private final Path directory;
  private final Path runtime;
  private final Path events;

  /**
   * A dry run in {@code directory}.
   *
   * @param runtime answers all commands
   * @param events where containerd would take events
   */
  TrainingSuccession(Path directory, Path runtime, Path events) {
    this.directory = directory;
    this.runtime = runtime;
    this.events = events;
  }

  /** Does it; a daemon and what it has in memory stay until the end of this process. */
  void live() throws IOException, InterruptedException {
    Process init = new ProcessBuilder("sleep", "30").start();
    Process exec = new ProcessBuilder("sleep", "30").start();
    try (FileLock alive = FileLock.shareDirectory(directory)) {
      Path socket = directory.resolve("heir.sock");
      Shelf shelf = Shelf.make();
      Record record = Record.begin(directory, DaemonEntry.newBuilder().setPid(ProcessHandle.current().pid())
          .setNamespace(NAMESPACE).setMode("namespace").build());
      Estate estate = Estate.begin(shelf, socket, record);
      leave(shelf, record, init.pid(), exec.pid());
      Client waiting = Client.connect(socket, TIMEOUT);
      Thread wait = Threads.start("wait", () -> await(waiting));
      Line line = estate.door().accept();
      line.read(ByteBuffer.allocate(FRAME_BYTES));
      line.begun(WAIT_ID, true);
      record.leave();
      inherit(shelf, alive);
      Daemon daemon = Daemon.start(Arguments.parse(new String[] {"-namespace", NAMESPACE, "-run-dir",
          directory.toString(), "-take-over", "-inherit", Integer.toString(INHERITED)}), events.toString());
      try (Client client = Client.connect(daemon.record().socket(), TIMEOUT)) {
        call(client, "State", StateRequest.newBuilder().setId(ID).build(), StateResponse.parser());
        end(client, EXEC);
        end(client, "");
      }
      wait.join();
    } finally {
      init.destroyForcibly();
      exec.destroyForcibly();
    }
  }

  /** What a daemon has of a container that runs, and of an exec in it. */
  private void leave(Shelf shelf, Record record, long init, long exec) throws IOException {
    Path bundle = Files.createDirectory(directory.resolve("heirs-bundle"));
    var stdio = StdioEntry.newBuilder().setStdout(directory.resolve("heirs-stdout").toString());
    var options = Options.newBuilder().setBinaryName(runtime.toString())
        .setRoot(directory.resolve("heirs-root").toString());
    record.write(Change.put(Kinds.CONTAINER, ID,
        ContainerEntry.newBuilder().setBundle(bundle.toString()).setStdio(stdio).setOptions(options).build()));
    record.write(Change.put(Kinds.INIT, ID, running(init)));
    String process = ID + "/" + EXEC;
    record.write(Change.put(Kinds.EXEC, process,
        ExecEntry.newBuilder().setStdio(stdio).setProcess("{}").build()));
    record.write(Change.put(Kinds.EXEC_PROCESS, process, running(exec)));
    keep(shelf, ID, init);
    keep(shelf, process, exec);
  }

  private static ProcessEntry running(long pid) {
    return ProcessEntry.newBuilder().setState(ProcessState.PROCESS_RUNNING).setPid((int) pid).build();
  }

  private static void keep(Shelf shelf, String process, long pid) throws IOException {
    Pipe output = Pipe.open();
    Pipe fifo = Pipe.open();
    output.reader().nonBlocking(true);
    fifo.writer().nonBlocking(true);
    shelf.put(Labels.of(Labels.PROCESS, process, "pidfd", "keeper", "stdout.from", "stdout.to"),
        List.of(ProcessCalls.openPidfd((int) pid), fifo.reader(), output.reader(), fifo.writer()));
  }

  private static void inherit(Shelf shelf, FileLock alive) throws IOException {
    var fds = new ArrayList<>(shelf.ends());
    fds.add(alive.fd());
    for (int i = 0; i < fds.size(); i++) {
      Fd inherited = fds.get(i).duplicateFrom(INHERITED + i);
      if (inherited.number() != INHERITED + i) {
        throw new IOException("descriptor " + (INHERITED + i) + " is open");
      }
    }
  }

  private static void await(Client client) {
    try (client) {
      call(client, "Wait", WaitRequest.newBuilder().setId(ID).build(), WaitResponse.parser());
    } catch (IOException | InterruptedException e) {
      System.err.println("training: no answer to a Wait: " + e);
    }
  }

  private static void end(Client client, String exec) throws IOException, InterruptedException {
    call(client, "Kill", KillRequest.newBuilder().setId(ID).setExecId(exec).setSignal(SIGKILL).build(),
        Empty.parser());
    call(client, "Wait", WaitRequest.newBuilder().setId(ID).setExecId(exec).build(), WaitResponse.parser());
    call(client, "Delete", DeleteRequest.newBuilder().setId(ID).setExecId(exec).build(), DeleteResponse.parser());
  }

  private static <T extends MessageLite> void call(Client client, String method, MessageLite request, Parser<T> parser)
      throws IOException, InterruptedException {
    client.call(TASK, method, request, parser, TIMEOUT, Map.of());
  }
}
