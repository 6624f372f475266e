package io.loomshim.container;

import io.loomshim.cgroup.Cgroup;
import io.loomshim.event.Outbox;
import io.loomshim.log.Log;
import io.loomshim.proto.events.TaskCreate;
import io.loomshim.proto.events.TaskIO;
import io.loomshim.proto.runc.Options;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncGlobal;
import io.loomshim.runc.RuncException;
import io.loomshim.ttrpc.Code;
import io.loomshim.ttrpc.StatusException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A container that runc has created. May be used from any thread; what takes locks is in its processes. */
public final class Container {
  private static final Path DEFAULT_ROOT = Path.of("/run/containerd/runc");

  private final ContainerSpec spec;
  private final Runc runc;
  private final InitProcess init;
  private final Optional<Cgroup> cgroup;

  private Container(ContainerSpec spec, Runc runc, InitProcess init, Optional<Cgroup> cgroup) {
    this.spec = spec;
    this.runc = runc;
    this.init = init;
    this.cgroup = cgroup;
  }

  /**
   * Creates a container, publishes that and begins to wait for the end of its init.
   *
   * @param namespace the containerd namespace, a part of runc's root
   * @throws StatusException UNKNOWN {@code OCI runtime create failed: …} and the like; nothing is left then
   * @throws IOException when the bundle or a fifo cannot be used; nothing is left then
   */
  public static Container create(ContainerSpec spec, String namespace, Outbox events)
      throws IOException, InterruptedException {
    var bundle = new Bundle(spec.bundle());
    var runc = new Runc(global(spec.options(), namespace, bundle), spec.bundle());
    var init = new InitProcess(spec, bundle, runc, events);
    init.create();
    var container = new Container(spec, runc, init, cgroup(spec.id(), init.pid()));
    events.add(container.created());
    init.watch();
    return container;
  }

  private static RuncGlobal global(Options options, String namespace, Bundle bundle) {
    Path root = options.getRoot().isEmpty() ? DEFAULT_ROOT : Path.of(options.getRoot());
    Optional<Path> criu =
        options.getCriuPath().isEmpty() ? Optional.empty() : Optional.of(Path.of(options.getCriuPath()));
    return new RuncGlobal(
        options.getBinaryName(), root.resolve(namespace), bundle.runcLog(), criu, options.getSystemdCgroup());
  }

  private static Optional<Cgroup> cgroup(String id, int pid) {
    try {
      return Cgroup.of(pid);
    } catch (IOException e) {
      Log.warn("no cgroup found", "id", id, "error", String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  private TaskCreate created() {
    var io =
        TaskIO.newBuilder()
            .setStdin(spec.stdio().stdin())
            .setStdout(spec.stdio().stdout())
            .setStderr(spec.stdio().stderr())
            .setTerminal(spec.stdio().terminal());
    return TaskCreate.newBuilder()
        .setContainerId(spec.id())
        .setBundle(spec.bundle().toString())
        .addAllRootfs(spec.rootfs())
        .setIo(io)
        .setPid(init.pid())
        .build();
  }

  public String id() {
    return spec.id();
  }

  public Path bundle() {
    return spec.bundle();
  }

  /** The init process for an empty {@code execId}; NOT_FOUND for an exec that does not exist. */
  public ContainerProcess process(String execId) {
    if (execId.isEmpty()) {
      return init;
    }
    throw new StatusException(Code.NOT_FOUND, "process does not exist " + execId + ": not found");
  }

  /** The pids of all processes in the container; none when it has ended. */
  public List<Integer> pids() throws IOException, InterruptedException {
    if (cgroup.isPresent()) {
      return cgroup.get().pids();
    }
    try {
      return runc.ps(spec.id());
    } catch (RuncException e) {
      throw new StatusException(Code.UNKNOWN, e.text(), e);
    }
  }

  /** Somebody else has removed the container: frees what we hold of it. */
  public void abandon() {
    Cleanup.run("abandon/" + spec.id(), init::abandon);
  }
}
