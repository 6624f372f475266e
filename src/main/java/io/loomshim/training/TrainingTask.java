package io.loomshim.training;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.task.ConnectRequest;
import io.loomshim.proto.task.ConnectResponse;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.CreateTaskResponse;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.DeleteResponse;
import io.loomshim.proto.task.ExecProcessRequest;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.PidsRequest;
import io.loomshim.proto.task.PidsResponse;
import io.loomshim.proto.task.ShutdownRequest;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.task.StartResponse;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StateResponse;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.task.WaitResponse;
import io.loomshim.proto.types.Mount;
import io.loomshim.ttrpc.Client;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The calls of a client through the life of one container, for {@link Training}. */
final class TrainingTask implements AutoCloseable {
  private static final String TASK = "containerd.task.v2.Task";
  private static final String ID = "train";
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final int SIGKILL = 9;

  /** The file of the runtime, in the directory. */
  static final String RUNTIME_NAME = "runc";

  private static final String CONFIG =
      """
      {"ociVersion":"1.0.2","process":{"user":{"uid":0,"gid":0},"args":["true"]},"hostname":null,
       "linux":{"cgroupsPath":"/train","namespaces":[{"type":"pid"}]},"annotations":{}}
      """;

  /** A runtime that starts a sleeping process in place of a container. */
  private static final String RUNTIME =
      """
      #!/bin/sh
      command= pid_file=
      for word; do
        case $word in
          create|start|exec|kill|delete|ps) if [ -z "$command" ]; then command=$word; fi ;;
        esac
        if [ "$last" = --pid-file ]; then pid_file=$word; fi
        last=$word
      done
      case $command in
        create|exec)
          sleep 30 < /dev/null > /dev/null 2>&1 &
          printf %s "$!" > "$pid_file" ;;
        ps) printf '[]' ;;
      esac
      """;

  private final Client client;
  private final Path directory;
  private final List<RandomAccessFile> opened = new ArrayList<>();

  TrainingTask(Client client, Path directory) {
    this.client = client;
    this.directory = directory;
  }

  /** Makes all calls; throws the error that the daemon answered. */
  void live() throws IOException, InterruptedException {
    call("Connect", ConnectRequest.newBuilder().setId(ID).build(), ConnectResponse.parser());
    create();
    call("Start", StartRequest.newBuilder().setId(ID).build(), StartResponse.parser());
    call("State", StateRequest.newBuilder().setId(ID).build(), StateResponse.parser());
    call("Pids", PidsRequest.newBuilder().setId(ID).build(), PidsResponse.parser());
    exec();
    end("");
    call("Shutdown", ShutdownRequest.newBuilder().setId(ID).build(), Empty.parser());
  }

  private void create() throws IOException, InterruptedException {
    Path bundle = Files.createDirectory(directory.resolve("bundle"));
    Files.createDirectory(bundle.resolve("rootfs"));
    Files.writeString(bundle.resolve("config.json"), CONFIG);
    Path runtime = Files.writeString(directory.resolve(RUNTIME_NAME), RUNTIME);
    Files.setPosixFilePermissions(runtime, PosixFilePermissions.fromString("rwx------"));
    Options options =
        Options.newBuilder().setBinaryName(runtime.toString()).setRoot(directory.resolve("root").toString()).build();
    CreateTaskRequest request =
        CreateTaskRequest.newBuilder()
            .setId(ID)
            .setBundle(bundle.toString())
            .setStdin(fifo("stdin"))
            .setStdout(fifo("stdout"))
            .setStderr(fifo("stderr"))
            .setOptions(any("containerd.runc.v1.Options", options.toByteString()))
            .build();
    Path image = Files.createDirectory(directory.resolve("image"));
    Mount mount = Mount.newBuilder().setType("bind").setSource(image.toString()).addOptions("rbind").build();
    try {
      call("Create", request.toBuilder().addRootfs(mount).build(), CreateTaskResponse.parser());
    } catch (StatusException e) {
      // without the right to mount
      call("Create", request, CreateTaskResponse.parser());
    }
  }

  private void exec() throws IOException, InterruptedException {
    ByteString process = ByteString.copyFromUtf8("{\"args\":[\"true\"],\"cwd\":\"/\"}");
    var added =
        ExecProcessRequest.newBuilder()
            .setId(ID)
            .setExecId("exec")
            .setStdout(fifo("exec-stdout"))
            .setSpec(any("types.containerd.io/opencontainers/runtime-spec/1/Process", process))
            .build();
    call("Exec", added, Empty.parser());
    call("Start", StartRequest.newBuilder().setId(ID).setExecId("exec").build(), StartResponse.parser());
    end("exec");
  }

  private void end(String exec) throws IOException, InterruptedException {
    call("Kill", KillRequest.newBuilder().setId(ID).setExecId(exec).setSignal(SIGKILL).build(), Empty.parser());
    call("Wait", WaitRequest.newBuilder().setId(ID).setExecId(exec).build(), WaitResponse.parser());
    call("Delete", DeleteRequest.newBuilder().setId(ID).setExecId(exec).build(), DeleteResponse.parser());
  }

  private String fifo(String name) throws IOException, InterruptedException {
    Path path = directory.resolve(name);
    Process process = new ProcessBuilder("mkfifo", path.toString()).inheritIO().start();
    if (process.waitFor() != 0) {
      throw new IOException("mkfifo failed");
    }
    opened.add(new RandomAccessFile(path.toFile(), "rw")); // both ends at once, so that no open blocks; fifo(7)
    return path.toString();
  }

  @Override
  public void close() throws IOException {
    for (RandomAccessFile fifo : opened) {
      fifo.close();
    }
  }

  private static Any any(String type, ByteString value) {
    return Any.newBuilder().setTypeUrl(type).setValue(value).build();
  }

  private <T extends MessageLite> T call(String method, MessageLite request, Parser<T> parser)
      throws IOException, InterruptedException {
    return client.call(TASK, method, request, parser, TIMEOUT, Map.of());
  }
}
