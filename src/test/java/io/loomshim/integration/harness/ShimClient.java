package io.loomshim.integration.harness;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.runc.CheckpointOptions;
import io.loomshim.proto.task.CheckpointTaskRequest;
import io.loomshim.proto.task.CloseIORequest;
import io.loomshim.proto.task.ConnectRequest;
import io.loomshim.proto.task.ConnectResponse;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.CreateTaskResponse;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.DeleteResponse;
import io.loomshim.proto.task.ExecProcessRequest;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.PauseRequest;
import io.loomshim.proto.task.PidsRequest;
import io.loomshim.proto.task.PidsResponse;
import io.loomshim.proto.task.ResizePtyRequest;
import io.loomshim.proto.task.ResumeRequest;
import io.loomshim.proto.task.ShutdownRequest;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.task.StartResponse;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StateResponse;
import io.loomshim.proto.task.StatsRequest;
import io.loomshim.proto.task.StatsResponse;
import io.loomshim.proto.task.UpdateTaskRequest;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.task.WaitResponse;
import io.loomshim.ttrpc.ClosedException;
import io.loomshim.ttrpc.Client;
import io.loomshim.ttrpc.ManyCallsClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * The task service of the shim of one container. {@link #close} ends the container, the shim and
 * the bundle as containerd would. Its calls may come from several threads.
 */
public final class ShimClient implements AutoCloseable {
  public static final int KILL = 9;
  private static final Duration LIMIT = Await.seconds(60);

  private final Shims shims;
  private final Shim shim;
  private final Bundle bundle;
  private final Path socket;
  private final int version;
  private final Optional<Any> options;
  private final ManyCallsClient client;

  private ShimClient(Shims shims, Shim shim, Bundle bundle, Path socket, int version, Optional<Any> options)
      throws IOException {
    this.shims = shims;
    this.shim = shim;
    this.bundle = bundle;
    this.socket = socket;
    this.version = version;
    this.options = options;
    this.client = ManyCallsClient.connect(socket, LIMIT);
  }

  /** Speaks {@code version} of the task API; {@code options} go to a Create that is given no others. */
  static ShimClient connect(Shims shims, Shim shim, Bundle bundle, Path socket, int version, Optional<Any> options) {
    try {
      return new ShimClient(shims, shim, bundle, socket, version, options);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Another connection to the same shim. Close it with {@link #disconnect}: the container is this client's. */
  public ShimClient another() {
    try {
      return new ShimClient(shims, shim, bundle, socket, version, options);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public String id() {
    return bundle.id();
  }

  public Path socket() {
    return socket;
  }

  /** The full name of the task service in the version that the shim has told. */
  public String service() {
    return "containerd.task.v" + version + ".Task";
  }

  public <R extends MessageLite> R call(String service, String method, MessageLite request, Parser<R> parser) {
    return call(service, method, request, parser, LIMIT);
  }

  /** The same with a limit of its own, which the shim is told too. */
  public <R extends MessageLite> R call(String service, String method, MessageLite request, Parser<R> parser,
      Duration limit) {
    try {
      return client.call(service, method, request, parser, limit, Map.of());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Creates the task with no stdio and what {@code more} adds to the request; returns its pid. */
  public int create(UnaryOperator<CreateTaskRequest.Builder> more) {
    var request = CreateTaskRequest.newBuilder().setId(id()).setBundle(bundle.path().toString());
    options.ifPresent(request::setOptions);
    request = more.apply(request);
    return call(service(), "Create", request.build(), CreateTaskResponse.parser()).getPid();
  }

  public int create() {
    return create(UnaryOperator.identity());
  }

  /** Begins to create the task with these runtime options; the outcome is as {@link #failure} has it. */
  public CompletableFuture<String> creating(Optional<Any> runtime) {
    return Await.meanwhile(() -> failure(() -> create(r -> r.setOptions(runtime.orElseThrow()))));
  }

  public int start() {
    return call(service(), "Start", StartRequest.newBuilder().setId(id()).build(), StartResponse.parser()).getPid();
  }

  public StateResponse state(String exec) {
    var request = StateRequest.newBuilder().setId(id()).setExecId(exec).build();
    return call(service(), "State", request, StateResponse.parser());
  }

  public WaitResponse await(String exec) {
    return await(exec, LIMIT);
  }

  /** The same without a limit, as containerd waits. */
  public WaitResponse awaitForEver(String exec) {
    return await(exec, Client.NO_TIMEOUT);
  }

  private WaitResponse await(String exec, Duration limit) {
    var request = WaitRequest.newBuilder().setId(id()).setExecId(exec).build();
    return call(service(), "Wait", request, WaitResponse.parser(), limit);
  }

  public void kill(int signal, String exec) {
    var request = KillRequest.newBuilder().setId(id()).setExecId(exec).setSignal(signal).build();
    call(service(), "Kill", request, Empty.parser());
  }

  public PidsResponse pids() {
    return call(service(), "Pids", PidsRequest.newBuilder().setId(id()).build(), PidsResponse.parser());
  }

  public DeleteResponse delete(String exec) {
    var request = DeleteRequest.newBuilder().setId(id()).setExecId(exec).build();
    return call(service(), "Delete", request, DeleteResponse.parser());
  }

  public void closeIo(String exec) {
    var request = CloseIORequest.newBuilder().setId(id()).setExecId(exec).setStdin(true).build();
    call(service(), "CloseIO", request, Empty.parser());
  }

  public void resize(String exec, int width, int height) {
    var request = ResizePtyRequest.newBuilder().setId(id()).setExecId(exec).setWidth(width).setHeight(height).build();
    call(service(), "ResizePty", request, Empty.parser());
  }

  /** The shim's process, as {@code start} has written it into the bundle: before there is a container, too. */
  public long shimPid() {
    try {
      return Long.parseLong(Files.readString(bundle.path().resolve("shim.pid")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public ConnectResponse connect() {
    return call(service(), "Connect", ConnectRequest.newBuilder().setId(id()).build(), ConnectResponse.parser());
  }

  /** Adds a process that runs {@code command}. */
  public void exec(String exec, UnaryOperator<ExecProcessRequest.Builder> more, String... command) {
    var quoted = new ArrayList<String>();
    for (String argument : command) {
      quoted.add("\"" + argument.replace("\\", "\\\\").replace("\"", "\\\"") + "\"");
    }
    String process = "{\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0},\"env\":[\"PATH=/bin\"],\"args\":["
        + String.join(",", quoted) + "]}";
    var spec = Any.newBuilder().setTypeUrl("types.containerd.io/opencontainers/runtime-spec/1/Process")
        .setValue(ByteString.copyFromUtf8(process));
    var request = ExecProcessRequest.newBuilder().setId(id()).setExecId(exec).setSpec(spec);
    call(service(), "Exec", more.apply(request).build(), Empty.parser());
  }

  public void exec(String exec, String... command) {
    exec(exec, UnaryOperator.identity(), command);
  }

  public int start(String exec) {
    var request = StartRequest.newBuilder().setId(id()).setExecId(exec).build();
    return call(service(), "Start", request, StartResponse.parser()).getPid();
  }

  /** Kills every process of the container. */
  public void killAll(int signal) {
    var request = KillRequest.newBuilder().setId(id()).setSignal(signal).setAll(true).build();
    call(service(), "Kill", request, Empty.parser());
  }

  public void pause() {
    call(service(), "Pause", PauseRequest.newBuilder().setId(id()).build(), Empty.parser());
  }

  public void resume() {
    call(service(), "Resume", ResumeRequest.newBuilder().setId(id()).build(), Empty.parser());
  }

  /** Sets limits; {@code resources} is the JSON of the OCI runtime spec. */
  public void update(String resources) {
    var any = Any.newBuilder().setTypeUrl("types.containerd.io/opencontainers/runtime-spec/1/LinuxResources")
        .setValue(ByteString.copyFromUtf8(resources));
    var request = UpdateTaskRequest.newBuilder().setId(id()).setResources(any).build();
    call(service(), "Update", request, Empty.parser());
  }

  /** What the container uses, as the shim packs it. */
  public Any stats() {
    var request = StatsRequest.newBuilder().setId(id()).build();
    return call(service(), "Stats", request, StatsResponse.parser()).getStats();
  }

  /** Saves the container to {@code image}. */
  public void checkpoint(Path image, CheckpointOptions options) {
    var any = Shims.any("containerd.runc.v1.CheckpointOptions", options);
    var request = CheckpointTaskRequest.newBuilder().setId(id()).setPath(image.toString()).setOptions(any).build();
    call(service(), "Checkpoint", request, Empty.parser());
  }

  /** Closes the connection, as a client that goes away; everything else stays. */
  public void disconnect() {
    client.close();
  }

  /** Whether the shim has closed the connection. */
  public boolean disconnected() {
    return client.closed();
  }

  public Bundle bundle() {
    return bundle;
  }

  public void shutdown() {
    try {
      call(service(), "Shutdown", ShutdownRequest.newBuilder().setId(id()).build(), Empty.parser());
    } catch (UncheckedIOException e) {
      if (!(e.getCause() instanceof ClosedException)) {
        throw e;
      }
      // a shim that ends itself need not answer
    }
  }

  /** Kills the task if it runs, and deletes it; the exit status. */
  public int end() {
    error(() -> {
      kill(KILL, "");
      return "";
    });
    int status = await("").getExitStatus();
    delete("");
    return status;
  }

  /** The code and text of the error that {@code call} ends with, or what it returns. */
  public static String error(Supplier<?> call) {
    try {
      return "no error: " + call.get();
    } catch (StatusException e) {
      return e.code().number() + " " + e.getMessage();
    }
  }

  /** The same for a call without a result. */
  public static String failure(Runnable call) {
    return error(() -> {
      call.run();
      return "";
    });
  }

  @Override
  public void close() {
    try {
      if (!client.closed()) {
        failure(() -> kill(KILL, ""));
        failure(() -> await(""));
        failure(() -> delete(""));
        shutdown();
      }
    } catch (UncheckedIOException e) {
      if (!client.closed()) { // else the daemon has ended meanwhile
        throw e;
      }
    } finally {
      client.close();
      shims.delete(shim, bundle);
      bundle.close();
    }
  }
}
