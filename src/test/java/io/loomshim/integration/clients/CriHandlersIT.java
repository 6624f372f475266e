package io.loomshim.integration.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.integration.cri.ContainerState;
import io.loomshim.integration.cri.PodSandboxState;
import io.loomshim.integration.cri.RuntimeHandlerFeatures;
import io.loomshim.integration.cri.StatusRequest;
import io.loomshim.integration.cri.StatusResponse;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OciRuntime;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an administrator can say about our runtime in the configuration of CRI, and in ours. */
@Tag("any-jdk")
final class CriHandlersIT {
  private static final String PLAIN = "loom";
  private static final String INLINE = "inline";
  private static final String SCRIPTED = "scripted";
  private static final String DROP_IN = "dropin";
  private static final String IN_CGROUP = "cgroup";

  /** A parent of cgroups that goes with the daemons. */
  private static final String SHIM_CGROUP = "/" + Names.PREFIX + "shim";

  @RegisterExtension
  static final Bed BED = new Bed(CriHandlersIT::start);

  private static Path runcLog;
  private static Path runcRoot;
  private static Cri cri;

  private static Containerd start(Path directory) {
    String type = Shim.tested().runtime();
    runcLog = directory.resolve("runc.log");
    runcRoot = directory.resolve("runc-root");
    String options = "BinaryName = \"" + directory.resolve("my-runc") + "\"\nRoot = \"" + runcRoot + "\"\n";
    try {
      Path binary = Files.writeString(directory.resolve("my-runc"),
          "#!/bin/sh\nprintf '%s\\n' \"$*\" >> " + runcLog + "\nexec runc \"$@\"\n");
      Files.setPosixFilePermissions(binary, PosixFilePermissions.fromString("rwxr-xr-x"));
      // of v1 the hierarchy whose charges it is about
      Files.createDirectory(Path.of("/sys/fs/cgroup" + (Shim.UNIFIED ? "" : "/memory") + SHIM_CGROUP));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String configuration = new CriHost(Map.of(
        PLAIN, new CriHost.Runtime(type, Map.of(), ""),
        INLINE, new CriHost.Runtime(type, Map.of(), options),
        IN_CGROUP, new CriHost.Runtime(type, Map.of(), "ShimCgroup = \"" + SHIM_CGROUP + "\"\n"),
        DROP_IN, new CriHost.Runtime("io.containerd.runc.v2",
            Map.of("runtime_path", Shim.tested().program().toString()), options)))
        .configuration(directory);
    return Containerd.start(directory, configured(directory, configuration));
  }

  /** The configuration after the script for nodes has added a runtime with options to it. */
  private static String configured(Path directory, String configuration) {
    try {
      Path file = Files.writeString(directory.resolve("config.toml"), configuration);
      Configure.run(file, "--handler", SCRIPTED, "--option", "BinaryName=" + directory.resolve("my-runc"),
          "--option", "Root=" + runcRoot).ok();
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @BeforeAll
  static void connect() {
    cri = CriHost.connect(BED);
    try (var pod = Pod.run(BED, cri, PLAIN)) {
      cri.exec(pod.started("sleep", "1000"), 0, "true");
    }
  }

  @AfterAll
  static void disconnect() {
    cri.close();
  }

  /** Whether the version of containerd is at least this one of 1. */
  private static boolean atLeast(int minor) {
    int[] version = Containerd.version();
    return version[0] > 1 || version[1] >= minor;
  }

  /** Runs a pod, and looks whether it is run by the runc and in the root that the options name. */
  private static long optionsReachRunc(String handler) throws IOException {
    try (var pod = Pod.run(BED, cri, handler)) {
      String container = pod.started("sleep", "1000");
      Path root = runcRoot.resolve(CriHost.NAMESPACE);
      for (String id : new String[] {pod.id(), container}) {
        assertTrue(Files.isDirectory(root.resolve(id)), () -> handler + ": no " + root.resolve(id));
        assertTrue(Files.readAllLines(runcLog).stream().anyMatch(line -> line.startsWith("--root " + root + " ")
            && line.contains(" create ") && line.endsWith(id)), handler);
      }
      assertEquals("here\n", cri.exec(container, 10, "echo", "here").getStdout().toStringUtf8());
      return pod.shim(container);
    }
  }

  @Test
  void optionsInTheConfigurationReachRuncFromContainerd17On() throws Exception {
    if (atLeast(7)) {
      optionsReachRunc(INLINE);
      return;
    }
    // docs/KUBERNETES.md says so, and configure.sh has another way
    try (var pod = Pod.run(BED, cri, INLINE)) {
      assertFalse(Files.exists(runcRoot.resolve(CriHost.NAMESPACE).resolve(pod.id())));
    }
  }

  @Test
  void optionsThatTheScriptForNodesHasConfiguredReachRunc() throws Exception {
    optionsReachRunc(SCRIPTED);
  }

  @Test
  void asRuncV2ByItsPathItGetsTheOptionsOfRuncV2FromContainerd17On() throws Exception {
    Shim.assumeOurs("a Go shim is what this stands in for");
    long served = optionsReachRunc(DROP_IN);
    // before 1.7 CRI takes no notice of the path: options arrive, at the shim of Go
    assertEquals(atLeast(7), Install.get().daemons().stream().anyMatch(one -> one.pid() == served));
  }

  /** What CRI tells Kubernetes that pods of a handler may use. */
  private static RuntimeHandlerFeatures features(String handler) {
    var status = cri.call("Status", StatusRequest.getDefaultInstance(), StatusResponse.getDefaultInstance());
    return status.getRuntimeHandlersList().stream().filter(one -> one.getName().equals(handler)).findFirst()
        .orElseThrow(() -> new AssertionError(status)).getFeatures();
  }

  @Test
  void asRuncV2ByItsPathItHasTheFeaturesOfRuncAndByItsNameNone() {
    Shim.assumeOurs("a Go shim is what this stands in for");
    assumeTrue(Containerd.version()[0] >= 2, "containerd 1 asks no shim for features");
    String runc = OciRuntime.features();
    var known = RuntimeHandlerFeatures.newBuilder().setRecursiveReadOnlyMounts(runc.contains("\"rro\""))
        .setUserNamespaces(runc.replaceAll("\\s", "").contains("\"idmap\":{\"enabled\":true")).build();
    assertTrue(known.getRecursiveReadOnlyMounts(), runc);
    assertEquals(known, features(DROP_IN));
    assertEquals(known, features(SCRIPTED));
    // docs/KUBERNETES.md says so, and configure.sh has the other way
    assertEquals(RuntimeHandlerFeatures.getDefaultInstance(), features(PLAIN));
  }

  @Test
  void oneDaemonServesAllPods() {
    Shim.assumeOurs("Go shims have a process for each pod");
    try (var first = Pod.run(BED, cri, PLAIN); var second = Pod.run(BED, cri, PLAIN)) {
      long daemon = first.shim(first.id());
      assertEquals(daemon, first.shim(first.started("sleep", "1000")));
      assertEquals(daemon, second.shim(second.id()));
      assertEquals(daemon, second.shim(second.started("sleep", "1000")));
    }
  }

  /** What a test does with two pods, each of which has a container. */
  private interface Pods {
    void with(Pod first, String inFirst, Pod second, String inSecond);
  }

  private static void inModePod(Pods test) {
    Shim.assumeOurs("Go shims know one mode");
    var install = Install.get();
    var settings = install.settings();
    settings.put("mode", "pod");
    install.configure(settings);
    try (var first = Pod.run(BED, cri, PLAIN); var second = Pod.run(BED, cri, PLAIN)) {
      test.with(first, first.started("sleep", "1000"), second, second.started("sleep", "1000"));
    } finally {
      install.configure(Map.of("mode", "namespace"));
    }
  }

  @Test
  void inModePodEachPodHasADaemonThatServesItsContainers() {
    inModePod((first, inFirst, second, inSecond) -> {
      assertEquals(first.shim(first.id()), first.shim(inFirst));
      assertEquals(second.shim(second.id()), second.shim(inSecond));
      assertNotEquals(first.shim(first.id()), second.shim(second.id()));
    });
  }

  @Test
  void inModePodTheDeathOfADaemonEndsOnePod() {
    inModePod((first, inFirst, second, inSecond) -> {
      Proc.kill(first.shim(inFirst));
      first.ended(inFirst);
      Await.until("its pod is not ready", () -> first.state() == PodSandboxState.SANDBOX_NOTREADY);
      assertEquals(PodSandboxState.SANDBOX_READY, second.state());
      assertEquals(ContainerState.CONTAINER_RUNNING, cri.status(inSecond).getState());
      assertEquals(0, cri.exec(inSecond, 10, "true").getExitCode());
    });
  }

  @Test
  void afterTheDeathOfTheDaemonOfAllPodsTheyCanBeRemovedAndNewOnesRun() {
    Shim.assumeOurs("Go shims have a process for each pod");
    try (var first = Pod.run(BED, cri, PLAIN); var second = Pod.run(BED, cri, PLAIN)) {
      String inFirst = first.started("sleep", "1000");
      String inSecond = second.started("sleep", "1000");
      Proc.kill(first.shim(inFirst));
      first.ended(inFirst);
      second.ended(inSecond);
      Await.until("no pod is ready", () -> first.state() == PodSandboxState.SANDBOX_NOTREADY
          && second.state() == PodSandboxState.SANDBOX_NOTREADY);
    }
    try (var next = Pod.run(BED, cri, PLAIN)) {
      assertEquals(0, cri.exec(next.started("sleep", "1000"), 10, "true").getExitCode());
    }
  }

  @Test
  void theDaemonRunsInTheCgroupThatTheOptionsName() {
    Shim.assumeOurs("it is the daemon's memory that is charged there");
    assumeTrue(atLeast(7), "containerd before 1.7 gives a runtime of another name no options but ConfigPath");
    try (var pod = Pod.run(BED, cri, IN_CGROUP); var other = Pod.run(BED, cri, PLAIN)) {
      String container = pod.started("sleep", "1000");
      String cgroups = Proc.info(pod.shim(container)).orElseThrow().cgroups();
      assertTrue(cgroups.contains(SHIM_CGROUP + "\n"), cgroups);
      assertTrue(Proc.info(pod.pid(container)).orElseThrow().cgroups().contains(pod.cgroup()), cgroups);
      assertNotEquals(pod.shim(container), other.shim(other.id()));
    }
  }
}
