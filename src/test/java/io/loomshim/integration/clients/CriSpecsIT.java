package io.loomshim.integration.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.StatusRuntimeException;
import io.loomshim.integration.cri.Capability;
import io.loomshim.integration.cri.ContainerConfig;
import io.loomshim.integration.cri.DNSConfig;
import io.loomshim.integration.cri.Int64Value;
import io.loomshim.integration.cri.LinuxContainerSecurityContext;
import io.loomshim.integration.cri.Mount;
import io.loomshim.integration.cri.MountPropagation;
import io.loomshim.integration.cri.NamespaceMode;
import io.loomshim.integration.cri.NamespaceOption;
import io.loomshim.integration.cri.PodSandboxConfig;
import io.loomshim.integration.cri.SecurityProfile;
import io.loomshim.integration.cri.SecurityProfile.ProfileType;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Shim;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What critest asks of a runtime beyond {@link CriIT}: security contexts, mounts, namespaces and settings of a pod.
 * Each container tells what it finds, and tells the same under the shim of Go.
 */
final class CriSpecsIT {
  private static final String LOOM = "loom";
  private static final CriHost HOST = new CriHost(Map.of(
      LOOM, new CriHost.Runtime(Shim.tested().runtime(), Map.of(), "")));
  private static final long USER = 1001;

  /** What a container finds: who it is, what it may do, and where it can write. */
  private static final String FACTS = "id; grep -E '^(CapPrm|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; "
      + "touch /new 2>&1 && echo new; touch /tmp/new 2>&1 && echo temporary; "
      + "echo hosts $(wc -c < /etc/hosts); touch /mnt/new 2>&1; ls /dev | wc -l; "
      + "hostname changed 2>&1 && echo renamed; cat /data/* 2>&1; touch /data/new 2>&1 && echo written";

  @RegisterExtension
  static final Bed BED = new Bed(HOST::start);

  private static Cri cri;
  private static Path data;

  @BeforeAll
  static void connect() throws IOException {
    cri = CriHost.connect(BED);
    data = Files.createDirectory(BED.directory().resolve("data"));
    // what the daemon loads only once is loaded now, so that later comparisons are exact
    try (var pod = Pod.run(BED, cri, LOOM)) {
      cri.exec(pod.started("sleep", "1000"), 0, "true");
    }
  }

  @AfterAll
  static void disconnect() {
    cri.close();
  }

  private static UnaryOperator<ContainerConfig.Builder> context(
      UnaryOperator<LinuxContainerSecurityContext.Builder> more) {
    return container -> {
      var linux = container.getLinux().toBuilder();
      return container.setLinux(linux.setSecurityContext(more.apply(linux.getSecurityContext().toBuilder())));
    };
  }

  private static Int64Value number(long value) {
    return Int64Value.newBuilder().setValue(value).build();
  }

  private static UnaryOperator<ContainerConfig.Builder> capabilities(List<String> added, List<String> dropped) {
    return context(security -> security.setCapabilities(
        Capability.newBuilder().addAllAddCapabilities(added).addAllDropCapabilities(dropped)));
  }

  private static UnaryOperator<ContainerConfig.Builder> seccomp(ProfileType type, String file) {
    var added = Capability.newBuilder().addAddCapabilities("SYS_ADMIN");
    return context(security -> security.setCapabilities(added)
        .setSeccomp(SecurityProfile.newBuilder().setProfileType(type).setLocalhostRef(file)));
  }

  private static UnaryOperator<ContainerConfig.Builder> mount(boolean readonly) {
    return container -> container.addMounts(
        Mount.newBuilder().setHostPath(data.toString()).setContainerPath("/data").setReadonly(readonly));
  }

  /** The containers of critest's specs, by what they are about. */
  private static Map<String, UnaryOperator<ContainerConfig.Builder>> variants() throws IOException {
    Path profile = Files.writeString(BED.directory().resolve("profile.json"), """
        {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sethostname"], "action": "SCMP_ACT_ERRNO"}]}
        """);
    Files.writeString(data.resolve("file"), "of the host\n");
    var all = new LinkedHashMap<String, UnaryOperator<ContainerConfig.Builder>>();
    all.put("nothing", container -> container);
    all.put("user", context(security -> security.setRunAsUser(number(USER))));
    all.put("user and group", context(security -> security.setRunAsUser(number(USER)).setRunAsGroup(number(1002))));
    all.put("supplemental groups",
        context(security -> security.addSupplementalGroups(1234).addSupplementalGroups(5678)));
    all.put("readonly rootfs", context(security -> security.setReadonlyRootfs(true)));
    all.put("privileged", context(security -> security.setPrivileged(true)));
    all.put("capability added", capabilities(List.of("NET_ADMIN"), List.of()));
    all.put("capability dropped", capabilities(List.of(), List.of("CHOWN")));
    all.put("all added", capabilities(List.of("ALL"), List.of()));
    all.put("all dropped", capabilities(List.of(), List.of("ALL")));
    all.put("masked path", context(security -> security.addMaskedPaths("/etc/hosts").addMaskedPaths("/mnt")));
    all.put("readonly path", context(security -> security.addReadonlyPaths("/tmp")));
    all.put("no new privileges", context(security -> security.setNoNewPrivs(true)));
    all.put("seccomp unconfined", seccomp(ProfileType.Unconfined, ""));
    all.put("seccomp default", seccomp(ProfileType.RuntimeDefault, ""));
    all.put("seccomp of a file", seccomp(ProfileType.Localhost, "localhost/" + profile));
    all.put("volume", mount(false));
    all.put("readonly volume", mount(true));
    return all;
  }

  /** What each container prints and how it ends, or why it cannot be. */
  private static Map<String, String> found(String handler) throws IOException {
    var found = new TreeMap<String, String>();
    try (var pod = Pod.of(BED, cri, handler, NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER),
        CriSpecsIT::privileged)) {
      var containers = new LinkedHashMap<String, String>();
      for (var variant : variants().entrySet()) {
        try {
          containers.put(variant.getKey(), pod.start(variant.getValue(), "sh", "-c", FACTS));
        } catch (StatusRuntimeException e) {
          found.put(variant.getKey(), e.getStatus().getCode().toString());
        }
      }
      containers.forEach((name, container) ->
          found.put(name, pod.ended(container).getExitCode() + "\n" + CriLog.text(pod.log(container), "stdout")
              + CriLog.text(pod.log(container), "stderr")));
    }
    Files.deleteIfExists(data.resolve("new"));
    return found;
  }

  private static PodSandboxConfig.Builder privileged(PodSandboxConfig.Builder pod) {
    var linux = pod.getLinux().toBuilder();
    return pod.setLinux(linux.setSecurityContext(linux.getSecurityContext().toBuilder().setPrivileged(true)));
  }

  private static void has(Map<String, String> found, String variant, String text) {
    assertTrue(found.get(variant).contains(text), () -> variant + " lacks " + text + ":\n" + found.get(variant));
  }

  @Test
  void securityContextsAndVolumesAreAsWithTheShimOfGo() throws Exception {
    Map<String, String> ours = found(LOOM);
    has(ours, "nothing", "uid=0 gid=0");
    has(ours, "nothing", "\nnew\ntemporary\n");
    has(ours, "user", "uid=" + USER + " gid=0");
    has(ours, "user and group", "uid=" + USER + " gid=1002");
    has(ours, "supplemental groups", "1234,5678");
    has(ours, "readonly rootfs", "Read-only file system");
    has(ours, "masked path", "\nhosts 0\ntouch: /mnt/new: Read-only file system\n");
    assertTrue(!ours.get("nothing").contains("\nhosts 0\n"), () -> ours.get("nothing"));
    has(ours, "readonly path", "touch: /tmp/new: Read-only file system");
    has(ours, "no new privileges", "NoNewPrivs:\t1");
    has(ours, "all dropped", "CapEff:\t0000000000000000");
    has(ours, "seccomp unconfined", "Seccomp:\t0");
    has(ours, "seccomp unconfined", "renamed");
    has(ours, "seccomp of a file", "Seccomp:\t2");
    has(ours, "seccomp of a file", "hostname: sethostname: Operation not permitted");
    has(ours, "volume", "of the host\nwritten\n");
    has(ours, "readonly volume", "of the host\ntouch: /data/new: Read-only file system");
    assertEquals(found(CriHost.GO), ours);
  }

  /** Which namespaces a container has in common with the host, and with its sandbox. */
  private static List<String> shared(String handler, NamespaceOption.Builder option) throws IOException {
    var shared = new ArrayList<String>();
    try (var pod = Pod.of(BED, cri, handler, option, settings -> settings)) {
      String container = pod.started("sleep", "1000");
      for (String kind : List.of("ipc", "mnt", "net", "pid", "user", "uts")) {
        String own = link(pod.pid(container), kind);
        shared.add(kind + (own.equals(link(ProcessHandle.current().pid(), kind)) ? " host" : "")
            + (own.equals(link(pod.pid(pod.id()), kind)) ? " pod" : ""));
      }
    }
    return shared;
  }

  private static String link(long pid, String kind) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/" + kind)).toString();
  }

  @Test
  void namespacesAreThoseOfTheHostOfThePodOrOfTheContainer() throws Exception {
    assertEquals(List.of("ipc pod", "mnt", "net pod", "pid", "user host pod", "uts pod"),
        shared(LOOM, NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER)));
    assertEquals(List.of("ipc pod", "mnt", "net pod", "pid pod", "user host pod", "uts pod"),
        shared(LOOM, NamespaceOption.newBuilder()));
    assertEquals(List.of("ipc host pod", "mnt", "net host pod", "pid host pod", "user host pod", "uts host pod"),
        shared(LOOM, NamespaceOption.newBuilder().setIpc(NamespaceMode.NODE).setNetwork(NamespaceMode.NODE)
            .setPid(NamespaceMode.NODE)));
  }

  @Test
  void aPodsNameResolverAndKernelParametersAreThoseOfItsConfiguration() {
    var ours = settings(LOOM);
    assertEquals("web-host\nsearch example.org\nnameserver 10.10.10.10\noptions ndots:8\n1\n1024 65000\n",
        ours.replace('\t', ' '));
    assertEquals(settings(CriHost.GO), ours);
  }

  private static String settings(String handler) {
    try (var pod = Pod.of(BED, cri, handler, NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER),
        settings -> settings.setHostname("web-host")
            .setDnsConfig(DNSConfig.newBuilder().addServers("10.10.10.10").addSearches("example.org")
                .addOptions("ndots:8"))
            .setLinux(settings.getLinux().toBuilder().putSysctls("kernel.shm_rmid_forced", "1")
                .putSysctls("net.ipv4.ip_local_port_range", "1024 65000")))) {
      String container = pod.started("sh", "-c", "hostname; cat /etc/resolv.conf; "
          + "cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_local_port_range");
      pod.ended(container);
      return CriLog.text(pod.log(container), "stdout");
    }
  }

  private static void mounts(String... words) {
    Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), List.of(words)).await(Ctr.LIMIT).ok();
  }

  /** Whether a mount that comes later is seen in the container, and one of the container on the host. */
  private static String propagation(String handler, MountPropagation kind) {
    Path shared = BED.directory().resolve("shared");
    try (var pod = Pod.of(BED, cri, handler, NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER),
        CriSpecsIT::privileged)) {
      Files.createDirectories(shared.resolve("host"));
      Files.createDirectories(shared.resolve("container"));
      mounts("mount", "--bind", shared.toString(), shared.toString());
      mounts("mount", "--make-shared", shared.toString());
      try {
        UnaryOperator<ContainerConfig.Builder> privileged = context(security -> security.setPrivileged(true));
        String container = pod.start(settings -> privileged.apply(settings).addMounts(Mount.newBuilder()
            .setHostPath(shared.toString()).setContainerPath("/mnt").setPropagation(kind)),
            "sh", "-c", "mount -t tmpfs none /mnt/container && touch /mnt/container/inside && sleep 1000");
        Await.until("the container has mounted",
            () -> cri.exec(container, 10, "ls", "/mnt/container/inside").getExitCode() == 0);
        mounts("mount", "-t", "tmpfs", "none", shared.resolve("host").toString());
        Files.createFile(shared.resolve("host/outside"));
        return (cri.exec(container, 10, "ls", "/mnt/host/outside").getExitCode() == 0) + " "
            + Files.exists(shared.resolve("container/inside"));
      } finally {
        mounts("umount", "-R", shared.toString());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void mountsGoIntoTheContainerAndOutOfItAsIsAskedFor() {
    assertEquals("false false", propagation(LOOM, MountPropagation.PROPAGATION_PRIVATE));
    assertEquals("true false", propagation(LOOM, MountPropagation.PROPAGATION_HOST_TO_CONTAINER));
    assertEquals("true true", propagation(LOOM, MountPropagation.PROPAGATION_BIDIRECTIONAL));
  }
}
