package io.loomshim.task;

import com.google.protobuf.Any;
import io.loomshim.container.ContainerSpec;
import io.loomshim.container.ExecSpec;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.ExecProcessRequest;
import io.loomshim.stdio.StdioPaths;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Reads from the requests of clients what they want to have made. Stateless. */
final class Specs {
  private Specs() {}

  /**
   * The container that a Create asks for.
   *
   * @throws StatusException INVALID_ARGUMENT for an id, a bundle or options that cannot be used
   */
  static ContainerSpec container(CreateTaskRequest request) throws IOException, InterruptedException {
    String id = Ids.check(request.getId());
    if (!request.getBundle().startsWith("/")) {
      throw new StatusException(
          Code.INVALID_ARGUMENT, "bundle \"" + request.getBundle() + "\" is not an absolute path: invalid argument");
    }
    var stdio =
        new StdioPaths(request.getStdin(), request.getStdout(), request.getStderr(), request.getTerminal());
    Options options = options(request.getOptions());
    Path bundle = Path.of(request.getBundle());
    return new ContainerSpec(id, bundle, request.getRootfsList(), stdio, options, checkpoint(request, options));
  }

  private static Options options(Any any) throws IOException, InterruptedException {
    String file = RuntimeOptions.file(any);
    return file.isEmpty() ? RuntimeOptions.decode(any) : Aside.run("read " + file, () -> RuntimeOptions.decode(any));
  }

  /** For a runtime of another name than runc's, containerd leaves the image's path in the options. */
  private static Optional<Path> checkpoint(CreateTaskRequest request, Options options) {
    String path = options.getCriuImagePath().isEmpty() ? request.getCheckpoint() : options.getCriuImagePath();
    return path.isEmpty() ? Optional.empty() : Optional.of(Path.of(path));
  }

  /**
   * The process that an Exec asks for.
   *
   * @throws StatusException INVALID_ARGUMENT for an id that cannot be used, or without a spec
   */
  static ExecSpec exec(ExecProcessRequest request) {
    String execId = Ids.check(request.getExecId());
    if (!request.hasSpec()) {
      throw new StatusException(Code.INVALID_ARGUMENT, "spec of exec " + execId + " is missing: invalid argument");
    }
    var stdio =
        new StdioPaths(request.getStdin(), request.getStdout(), request.getStderr(), request.getTerminal());
    return new ExecSpec(execId, stdio, request.getSpec().getValue().toStringUtf8());
  }
}
