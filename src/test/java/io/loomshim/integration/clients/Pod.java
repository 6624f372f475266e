package io.loomshim.integration.clients;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.loomshim.integration.cri.ContainerConfig;
import io.loomshim.integration.cri.ContainerMetadata;
import io.loomshim.integration.cri.ContainerState;
import io.loomshim.integration.cri.ContainerStatus;
import io.loomshim.integration.cri.CreateContainerRequest;
import io.loomshim.integration.cri.CreateContainerResponse;
import io.loomshim.integration.cri.IDMapping;
import io.loomshim.integration.cri.ImageSpec;
import io.loomshim.integration.cri.LinuxContainerConfig;
import io.loomshim.integration.cri.LinuxContainerResources;
import io.loomshim.integration.cri.LinuxContainerSecurityContext;
import io.loomshim.integration.cri.LinuxPodSandboxConfig;
import io.loomshim.integration.cri.LinuxSandboxSecurityContext;
import io.loomshim.integration.cri.NamespaceMode;
import io.loomshim.integration.cri.NamespaceOption;
import io.loomshim.integration.cri.PodSandboxConfig;
import io.loomshim.integration.cri.PodSandboxMetadata;
import io.loomshim.integration.cri.PodSandboxState;
import io.loomshim.integration.cri.PodSandboxStatusRequest;
import io.loomshim.integration.cri.PodSandboxStatusResponse;
import io.loomshim.integration.cri.RemoveContainerRequest;
import io.loomshim.integration.cri.RemoveContainerResponse;
import io.loomshim.integration.cri.RemovePodSandboxRequest;
import io.loomshim.integration.cri.RemovePodSandboxResponse;
import io.loomshim.integration.cri.RunPodSandboxRequest;
import io.loomshim.integration.cri.RunPodSandboxResponse;
import io.loomshim.integration.cri.StartContainerRequest;
import io.loomshim.integration.cri.StartContainerResponse;
import io.loomshim.integration.cri.StopContainerRequest;
import io.loomshim.integration.cri.StopContainerResponse;
import io.loomshim.integration.cri.StopPodSandboxRequest;
import io.loomshim.integration.cri.StopPodSandboxResponse;
import io.loomshim.integration.cri.UserNamespace;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** A pod and its containers, from RunPodSandbox to RemovePodSandbox. Used from one thread. */
final class Pod implements AutoCloseable {
  private final Bed bed;
  private final Cri cri;
  private final PodSandboxConfig config;
  private final NamespaceOption namespaces;
  private final String id;
  private final List<String> ids = new ArrayList<>();

  private Pod(Bed bed, Cri cri, String handler, NamespaceOption.Builder namespaces) {
    this(bed, cri, handler, namespaces, settings -> settings);
  }

  private Pod(Bed bed, Cri cri, String handler, NamespaceOption.Builder namespaces,
      UnaryOperator<PodSandboxConfig.Builder> more) {
    this.bed = bed;
    this.cri = cri;
    this.namespaces = namespaces.build();
    String name = Names.id("pod");
    Path logs = bed.directory().resolve("logs").resolve(name);
    try {
      Files.createDirectories(logs);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    config = more.apply(PodSandboxConfig.newBuilder()
        .setMetadata(PodSandboxMetadata.newBuilder().setName(name).setUid(name).setNamespace("default"))
        .setLogDirectory(logs.toString())
        .setLinux(LinuxPodSandboxConfig.newBuilder().setCgroupParent(CriHost.cgroup(name))
            .setSecurityContext(LinuxSandboxSecurityContext.newBuilder().setNamespaceOptions(this.namespaces))))
        .build();
    try {
      id = cri.call("RunPodSandbox",
          RunPodSandboxRequest.newBuilder().setConfig(config).setRuntimeHandler(handler).build(),
          RunPodSandboxResponse.getDefaultInstance()).getPodSandboxId();
    } catch (StatusRuntimeException e) {
      CriHost.removeCgroup(name);
      throw e;
    }
    ids.add(id);
  }

  /** Runs a pod whose containers have a pid namespace each. */
  static Pod run(Bed bed, Cri cri, String handler) {
    return new Pod(bed, cri, handler, onHost(NamespaceMode.CONTAINER));
  }

  /** Runs a pod whose containers share the pid namespace of its sandbox. */
  static Pod sharing(Bed bed, Cri cri, String handler) {
    return new Pod(bed, cri, handler, onHost(NamespaceMode.POD));
  }

  private static NamespaceOption.Builder onHost(NamespaceMode pids) {
    return NamespaceOption.newBuilder().setNetwork(NamespaceMode.NODE).setPid(pids);
  }

  /**
   * Runs a pod with a user namespace ({@code hostUsers: false}), whose root is {@code uid} and {@code gid} here. Its
   * network belongs to that namespace, so it cannot be the host's: the host has {@link CriHost#network}.
   */
  static Pod ofUsers(Bed bed, Cri cri, String handler, int uid, int gid) {
    var users = UserNamespace.newBuilder().setMode(NamespaceMode.POD).addUids(from(uid)).addGids(from(gid));
    return new Pod(bed, cri, handler,
        NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER).setUsernsOptions(users));
  }

  private static IDMapping from(int id) {
    return IDMapping.newBuilder().setHostId(id).setLength(65536).build();
  }

  /**
   * Runs a pod with these namespaces and settings; a network of its own needs {@link CriHost#network}.
   */
  static Pod of(Bed bed, Cri cri, String handler, NamespaceOption.Builder namespaces,
      UnaryOperator<PodSandboxConfig.Builder> more) {
    return new Pod(bed, cri, handler, namespaces, more);
  }

  String id() {
    return id;
  }

  /** The cgroup that those of its containers are in. */
  String cgroup() {
    return config.getLinux().getCgroupParent();
  }

  PodSandboxState state() {
    return cri.call("PodSandboxStatus", PodSandboxStatusRequest.newBuilder().setPodSandboxId(id).build(),
        PodSandboxStatusResponse.getDefaultInstance()).getStatus().getState();
  }

  String create(UnaryOperator<ContainerConfig.Builder> settings, String... command) {
    String name = "c" + ids.size();
    var container = ContainerConfig.newBuilder()
        .setMetadata(ContainerMetadata.newBuilder().setName(name))
        .setImage(ImageSpec.newBuilder().setImage(CriHost.IMAGE))
        .addAllCommand(List.of(command)).setLogPath(name + ".log")
        .setLinux(LinuxContainerConfig.newBuilder().setSecurityContext(
            LinuxContainerSecurityContext.newBuilder().setNamespaceOptions(namespaces)));
    String created = cri.call("CreateContainer",
        CreateContainerRequest.newBuilder().setPodSandboxId(id).setConfig(settings.apply(container))
            .setSandboxConfig(config).build(),
        CreateContainerResponse.getDefaultInstance()).getContainerId();
    ids.add(created);
    return created;
  }

  void start(String container) {
    cri.call("StartContainer", StartContainerRequest.newBuilder().setContainerId(container).build(),
        StartContainerResponse.getDefaultInstance());
  }

  /** Creates and starts a container. */
  String start(UnaryOperator<ContainerConfig.Builder> settings, String... command) {
    String container = create(settings, command);
    start(container);
    return container;
  }

  String started(String... command) {
    return start(settings -> settings, command);
  }

  /** A container that may use no more memory than this. */
  static UnaryOperator<ContainerConfig.Builder> limited(long bytes) {
    return settings -> settings.setLinux(settings.getLinux().toBuilder().setResources(
        LinuxContainerResources.newBuilder().setMemoryLimitInBytes(bytes).setMemorySwapLimitInBytes(bytes)));
  }

  /** The status of a container once it has ended. */
  ContainerStatus ended(String container) {
    Await.until(container + " has ended", () -> cri.status(container).getState() == ContainerState.CONTAINER_EXITED);
    return cri.status(container);
  }

  /** SIGTERM, and SIGKILL after {@code seconds}. */
  void stop(String container, int seconds) {
    cri.call("StopContainer", StopContainerRequest.newBuilder().setContainerId(container).setTimeout(seconds).build(),
        StopContainerResponse.getDefaultInstance());
  }

  void remove(String container) {
    cri.call("RemoveContainer", RemoveContainerRequest.newBuilder().setContainerId(container).build(),
        RemoveContainerResponse.getDefaultInstance());
  }

  /** The pid on the host of a container of this pod, or of its sandbox. */
  long pid(String container) {
    return bed.ctr().in(CriHost.NAMESPACE).pid(container);
  }

  /** The pid of the shim that serves it. */
  long shim(String container) {
    return Proc.info(pid(container)).orElseThrow().parent();
  }

  /** The lines of its log on disk. */
  List<CriLog.Line> log(String container) {
    return CriLog.read(Path.of(config.getLogDirectory(), "c" + ids.indexOf(container) + ".log"));
  }

  /** The file of its log. */
  Path logFile(String container) {
    return Path.of(config.getLogDirectory(), "c" + ids.indexOf(container) + ".log");
  }

  /** Stops the pod, which ends all of its containers. */
  void stop() {
    cri.call("StopPodSandbox", StopPodSandboxRequest.newBuilder().setPodSandboxId(id).build(),
        StopPodSandboxResponse.getDefaultInstance());
  }

  /** Stops and removes it with all its containers, and looks whether runc has forgotten them. */
  @Override
  public void close() {
    try {
      stop();
      cri.call("RemovePodSandbox", RemovePodSandboxRequest.newBuilder().setPodSandboxId(id).build(),
          RemovePodSandboxResponse.getDefaultInstance());
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() != Status.Code.NOT_FOUND) {
        throw e;
      }
    }
    CriHost.removeCgroup(config.getMetadata().getName());
    // after the death of a daemon containerd has the containers deleted on its own time
    if (!Await.within(Await.LIMIT, () -> CriHost.left(ids).isEmpty())) {
      throw new AssertionError("runc still knows " + CriHost.left(ids));
    }
    CriHost.removeCgroup(config.getMetadata().getName());
  }
}
