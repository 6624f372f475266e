package io.loomshim.integration.clients;

import io.loomshim.integration.cri.ContainerConfig;
import io.loomshim.integration.cri.ContainerMetadata;
import io.loomshim.integration.cri.CreateContainerRequest;
import io.loomshim.integration.cri.CreateContainerResponse;
import io.loomshim.integration.cri.ImageSpec;
import io.loomshim.integration.cri.LinuxPodSandboxConfig;
import io.loomshim.integration.cri.LinuxSandboxSecurityContext;
import io.loomshim.integration.cri.NamespaceMode;
import io.loomshim.integration.cri.NamespaceOption;
import io.loomshim.integration.cri.PodSandboxConfig;
import io.loomshim.integration.cri.PodSandboxMetadata;
import io.loomshim.integration.cri.RemovePodSandboxRequest;
import io.loomshim.integration.cri.RemovePodSandboxResponse;
import io.loomshim.integration.cri.RunPodSandboxRequest;
import io.loomshim.integration.cri.RunPodSandboxResponse;
import io.loomshim.integration.cri.StartContainerRequest;
import io.loomshim.integration.cri.StartContainerResponse;
import io.loomshim.integration.cri.StopPodSandboxRequest;
import io.loomshim.integration.cri.StopPodSandboxResponse;
import io.loomshim.integration.harness.Await;
import java.nio.file.Path;
import java.util.List;

/**
 * One pod with one container by CRI, for {@code packaging/package-test.sh}, whose containerd runs in a tree of its
 * own: {@code SOCKET IMAGE HANDLER CGROUP}. Prints what a program says that is run in the container.
 */
final class CriRound {
  private CriRound() {}

  public static void main(String[] args) {
    try (var cri = new Cri(Path.of(args[0]))) {
      Await.until("CRI knows the image", () -> cri.hasImage(args[1]));
      var namespaces = NamespaceOption.newBuilder().setNetwork(NamespaceMode.NODE);
      var config = PodSandboxConfig.newBuilder()
          .setMetadata(PodSandboxMetadata.newBuilder().setName("round").setUid("round").setNamespace("default"))
          .setLinux(LinuxPodSandboxConfig.newBuilder().setCgroupParent(args[3])
              .setSecurityContext(LinuxSandboxSecurityContext.newBuilder().setNamespaceOptions(namespaces)))
          .build();
      String pod = cri.call("RunPodSandbox",
          RunPodSandboxRequest.newBuilder().setConfig(config).setRuntimeHandler(args[2]).build(),
          RunPodSandboxResponse.getDefaultInstance()).getPodSandboxId();
      var settings = ContainerConfig.newBuilder().setMetadata(ContainerMetadata.newBuilder().setName("c"))
          .setImage(ImageSpec.newBuilder().setImage(args[1])).addAllCommand(List.of("/bin/sleep", "1000"));
      String container = cri.call("CreateContainer",
          CreateContainerRequest.newBuilder().setPodSandboxId(pod).setConfig(settings).setSandboxConfig(config).build(),
          CreateContainerResponse.getDefaultInstance()).getContainerId();
      cri.call("StartContainer", StartContainerRequest.newBuilder().setContainerId(container).build(),
          StartContainerResponse.getDefaultInstance());
      var answer = cri.exec(container, 10, "/bin/echo", "in a pod");
      cri.call("StopPodSandbox", StopPodSandboxRequest.newBuilder().setPodSandboxId(pod).build(),
          StopPodSandboxResponse.getDefaultInstance());
      cri.call("RemovePodSandbox", RemovePodSandboxRequest.newBuilder().setPodSandboxId(pod).build(),
          RemovePodSandboxResponse.getDefaultInstance());
      System.out.print(answer.getExitCode() + " " + answer.getStdout().toStringUtf8());
    }
  }
}
