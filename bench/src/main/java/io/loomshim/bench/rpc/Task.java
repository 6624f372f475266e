package io.loomshim.bench.rpc;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.CreateTaskResponse;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.DeleteResponse;
import io.loomshim.proto.task.ExecProcessRequest;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.ShutdownRequest;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.task.StartResponse;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StateResponse;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.task.WaitResponse;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** One container, spoken to through its shim's task service, as containerd does. Any thread may call. */
public final class Task implements AutoCloseable {
  static final String SERVICE = "containerd.task.v2.Task";
  public static final int SIGKILL = 9;

  /** No call takes this long, however busy the machine is. */
  public static final Duration LIMIT = Duration.ofSeconds(120);

  /** The streams of a process: paths of FIFOs, or empty for none. */
  public record Streams(String in, String out, String err, boolean terminal) {
    static final Streams NONE = new Streams("", "", "", false);
  }

  private final String id;
  private final Connection connection;
  private final Duration limit;

  private Task(String id, Connection connection, Duration limit) {
    this.id = id;
    this.connection = connection;
    this.limit = limit;
  }

  public static Task connect(Path socket, String id) throws IOException {
    return connect(socket, id, LIMIT);
  }

  /** A connection whose calls end with an error after {@code limit}. */
  public static Task connect(Path socket, String id, Duration limit) throws IOException {
    return new Task(id, Connection.open(socket), limit);
  }

  private <R extends MessageLite> R call(String method, MessageLite request, Parser<R> parser)
      throws IOException, InterruptedException {
    return connection.call(method, request, parser, limit);
  }

  public void create(Path bundle) throws IOException, InterruptedException {
    var request = CreateTaskRequest.newBuilder().setId(id).setBundle(bundle.toString()).build();
    call("Create", request, CreateTaskResponse.parser());
  }

  public void create(Path bundle, Any options) throws IOException, InterruptedException {
    var request = CreateTaskRequest.newBuilder().setId(id).setBundle(bundle.toString()).setOptions(options).build();
    call("Create", request, CreateTaskResponse.parser());
  }

  /** Starts the container for an empty name, else the process that was added under it. */
  public void start(String exec) throws IOException, InterruptedException {
    call("Start", StartRequest.newBuilder().setId(id).setExecId(exec).build(), StartResponse.parser());
  }

  /** Adds a process; its arguments must need no escapes in JSON. */
  public void exec(String exec, Streams streams, String... process) throws IOException, InterruptedException {
    String json = "{\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0},\"env\":[\"PATH=/bin\"],\"terminal\":"
        + streams.terminal() + ",\"args\":[\"" + String.join("\",\"", process) + "\"]}";
    var spec = Any.newBuilder().setTypeUrl("types.containerd.io/opencontainers/runtime-spec/1/Process")
        .setValue(ByteString.copyFromUtf8(json));
    var request = ExecProcessRequest.newBuilder().setId(id).setExecId(exec).setSpec(spec)
        .setTerminal(streams.terminal()).setStdin(streams.in()).setStdout(streams.out())
        .setStderr(streams.err());
    call("Exec", request.build(), Empty.parser());
  }

  /** The same for one without streams. */
  public void exec(String exec, String... process) throws IOException, InterruptedException {
    exec(exec, Streams.NONE, process);
  }

  public void kill(String exec) throws IOException, InterruptedException {
    var request = KillRequest.newBuilder().setId(id).setExecId(exec).setSignal(SIGKILL).build();
    call("Kill", request, Empty.parser());
  }

  /** Asks how the container is. */
  public void state() throws IOException, InterruptedException {
    call("State", StateRequest.newBuilder().setId(id).build(), StateResponse.parser());
  }

  /** Waits for the end of a process; its exit status. */
  public int await(String exec) throws IOException, InterruptedException {
    var request = WaitRequest.newBuilder().setId(id).setExecId(exec).build();
    return call("Wait", request, WaitResponse.parser()).getExitStatus();
  }

  public void delete(String exec) throws IOException, InterruptedException {
    call("Delete", DeleteRequest.newBuilder().setId(id).setExecId(exec).build(), DeleteResponse.parser());
  }

  /** Adds a process that runs {@code true}, and sees it through to its end. */
  public void execTrue(String exec) throws IOException, InterruptedException {
    exec(exec, Streams.NONE, "/bin/true");
    start(exec);
    int status = await(exec);
    delete(exec);
    if (status != 0) {
      throw new IOException("exec of true ended with " + status);
    }
  }

  /** Asks the shim to end if this was its last container. */
  public void shutdown() throws IOException, InterruptedException {
    try {
      call("Shutdown", ShutdownRequest.newBuilder().setId(id).build(), Empty.parser());
    } catch (ClosedException e) {
      // a shim that ends itself need not answer
    }
  }

  @Override
  public void close() throws IOException {
    connection.close();
  }
}
