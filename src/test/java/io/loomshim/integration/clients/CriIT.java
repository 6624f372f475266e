package io.loomshim.integration.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.loomshim.integration.cri.AttachRequest;
import io.loomshim.integration.cri.AttachResponse;
import io.loomshim.integration.cri.ContainerState;
import io.loomshim.integration.cri.ContainerStatsRequest;
import io.loomshim.integration.cri.ContainerStatsResponse;
import io.loomshim.integration.cri.ExecRequest;
import io.loomshim.integration.cri.ExecResponse;
import io.loomshim.integration.cri.LinuxContainerResources;
import io.loomshim.integration.cri.ListPodSandboxStatsRequest;
import io.loomshim.integration.cri.ListPodSandboxStatsResponse;
import io.loomshim.integration.cri.PodSandboxState;
import io.loomshim.integration.cri.ReopenContainerLogRequest;
import io.loomshim.integration.cri.ReopenContainerLogResponse;
import io.loomshim.integration.cri.UpdateContainerResourcesRequest;
import io.loomshim.integration.cri.UpdateContainerResourcesResponse;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pods of a containerd that serves CRI, by what a kubelet asks of it. */
@Tag("any-jdk")
final class CriIT {
  private static final String LOOM = "loom";
  private static final CriHost HOST = new CriHost(Map.of(
      LOOM, new CriHost.Runtime(Shim.tested().runtime(), Map.of(), "")));

  @RegisterExtension
  static final Bed BED = new Bed(directory -> Containerd.start(directory, HOST.configuration(directory)));

  private static final int PROBES = 60;
  private static final int PROBES_AT_ONCE = 10;
  private static final long LIMIT_BYTES = 16 << 20;
  private static final long HIGHER_LIMIT_BYTES = 64 << 20;

  private static Cri cri;

  @BeforeAll
  static void connect() {
    cri = CriHost.connect(BED);
    // what the daemon loads only once is loaded now, so that later comparisons are exact
    try (var pod = Pod.run(BED, cri, LOOM)) {
      cri.exec(pod.started("sleep", "1000"), 0, "true");
    }
  }

  @AfterAll
  static void disconnect() {
    cri.close();
  }

  /** What CRI tells about a pod and a container of it, from its beginning to its end. */
  private static List<String> life(String handler, boolean sharing) {
    var seen = new ArrayList<String>();
    try (var pod = sharing ? Pod.sharing(BED, cri, handler) : Pod.run(BED, cri, handler)) {
      seen.add(pod.state().toString());
      String container = pod.create(settings -> settings, "sh", "-c",
          "trap 'exit 7' TERM; echo ready; sleep 1000 & wait");
      seen.add(cri.status(container).getState().toString());
      pod.start(container);
      // before its trap stands, SIGTERM ends the shell (143), or does nothing to one that is the first of its namespace
      Await.until("it has set its trap", () -> CriLog.text(pod.log(container), "stdout").equals("ready\n"));
      var running = cri.status(container);
      seen.add(running.getState() + " " + (running.getStartedAt() >= running.getCreatedAt()));
      pod.stop(container, 10);
      var ended = cri.status(container);
      seen.add(ended.getState() + " " + ended.getExitCode() + " " + ended.getReason() + " "
          + (ended.getFinishedAt() >= ended.getStartedAt()));
      var done = pod.ended(pod.started("true"));
      seen.add(done.getExitCode() + " " + done.getReason());
      var killed = pod.started("sh", "-c", "trap '' TERM; while :; do sleep 1000; done");
      pod.stop(killed, 0);
      seen.add("killed " + cri.status(killed).getExitCode());
      pod.remove(container);
      var gone = assertThrows(StatusRuntimeException.class, () -> cri.status(container));
      seen.add(gone.getStatus().getCode().toString());
      pod.stop();
      seen.add(pod.state().toString());
    }
    return seen;
  }

  @Test
  void aPodLivesAsWithTheShimOfGo() {
    var ours = life(LOOM, false);
    assertEquals(List.of("SANDBOX_READY", "CONTAINER_CREATED", "CONTAINER_RUNNING true",
        "CONTAINER_EXITED 7 Error true", "0 Completed", "killed 137", "NOT_FOUND", "SANDBOX_NOTREADY"), ours);
    assertEquals(life(CriHost.GO, false), ours);
  }

  @Test
  void aPodWhoseContainersShareItsProcessesLivesAsWithTheShimOfGo() {
    assertEquals(life(CriHost.GO, true), life(LOOM, true));
  }

  @Test
  void whatAContainerOfASharedPidNamespaceLeavesBehindEndsWithIt() {
    try (var pod = Pod.sharing(BED, cri, LOOM)) {
      String container = pod.started("sh", "-c", "sleep 98765 & sleep 0.2; exit 3");
      assertEquals(3, pod.ended(container).getExitCode());
      Await.until("nothing runs any more", () -> Proc.all().values().stream().noneMatch(
          info -> info.commandLine().equals("sleep 98765") && info.cgroups().contains(pod.cgroup())));
    }
  }

  @Test
  void probesByExecAnswerWithTheCodeAndTheOutputOfTheirCommand() throws Exception {
    try (var pod = Pod.run(BED, cri, LOOM); var threads = Executors.newFixedThreadPool(PROBES_AT_ONCE)) {
      String container = pod.started("sleep", "1000");
      var probes = new ArrayList<Future<String>>();
      for (int i = 0; i < PROBES; i++) {
        int code = i % 3;
        probes.add(threads.submit(() -> {
          var answer = cri.exec(container, 10, "sh", "-c", "echo out" + code + "; echo err >&2; exit " + code);
          return answer.getExitCode() + answer.getStdout().toStringUtf8() + answer.getStderr().toStringUtf8();
        }));
      }
      for (int i = 0; i < PROBES; i++) {
        assertEquals(i % 3 + "out" + i % 3 + "\nerr\n", probes.get(i).get());
      }
      assertEquals(1, Proc.cgroupFile(pod.pid(container), "memory", "cgroup.procs").lines().count());
    }
  }

  @Test
  void aProbeThatTakesTooLongIsEndedWithAllItHasStarted() {
    try (var pod = Pod.run(BED, cri, LOOM)) {
      String container = pod.started("sleep", "1000");
      var late = assertThrows(StatusRuntimeException.class, () -> cri.exec(container, 1, "sleep", "87654"));
      assertEquals(Status.Code.DEADLINE_EXCEEDED, late.getStatus().getCode());
      Await.until("the probe is gone", () -> Proc.all().values().stream().noneMatch(
          info -> info.commandLine().equals("sleep 87654") && info.cgroups().contains(pod.cgroup())));
      assertEquals(0, cri.exec(container, 1, "true").getExitCode());
    }
  }

  @Test
  void aCommandThatIsNotThereFailsAsWithTheShimOfGo() {
    var codes = new ArrayList<String>();
    for (String handler : List.of(LOOM, CriHost.GO)) {
      try (var pod = Pod.run(BED, cri, handler)) {
        String container = pod.started("sleep", "1000");
        var refused = assertThrows(StatusRuntimeException.class, () -> cri.exec(container, 0, "no-such-program"));
        String wrong = pod.create(settings -> settings, "no-such-program");
        var failed = assertThrows(StatusRuntimeException.class, () -> pod.start(wrong));
        var status = cri.status(wrong);
        codes.add(refused.getStatus().getCode() + " " + failed.getStatus().getCode() + " " + status.getState() + " "
            + status.getExitCode() + " " + status.getReason());
        assertTrue(failed.getMessage().contains("no-such-program"), failed::getMessage);
      }
    }
    assertEquals(codes.getLast(), codes.getFirst());
  }

  @Test
  void anInteractiveExecHasATerminalOfTheSizeThatItsClientTells() {
    try (var pod = Pod.run(BED, cri, LOOM)) {
      String container = pod.started("sleep", "1000");
      String url = cri.call("Exec", ExecRequest.newBuilder().setContainerId(container).addCmd("sh").setTty(true)
          .setStdin(true).setStdout(true).build(), ExecResponse.getDefaultInstance()).getUrl();
      try (var shell = new RemoteCommand(url)) {
        shell.resize(93, 41);
        // the size arrives on another channel than the question
        Await.until("the terminal has its size", () -> {
          shell.type("stty size\n");
          return shell.text(RemoteCommand.STDOUT).contains("41 93");
        });
        shell.type("exit 5\n");
        shell.awaitEnd();
        assertTrue(shell.text(RemoteCommand.STATUS).contains("\"message\":\"5\""),
            () -> shell.text(RemoteCommand.STATUS));
      }
    }
  }

  @Test
  void anExecWithStreamsOfItsOwnCarriesStdinStdoutAndStderr() {
    try (var pod = Pod.run(BED, cri, LOOM)) {
      String container = pod.started("sleep", "1000");
      String url = cri.call("Exec", ExecRequest.newBuilder().setContainerId(container)
          .addAllCmd(List.of("sh", "-c", "read line; echo out $line; echo err $line >&2")).setStdin(true)
          .setStdout(true).setStderr(true).build(), ExecResponse.getDefaultInstance()).getUrl();
      try (var command = new RemoteCommand(url)) {
        command.type("hello\n");
        command.awaitEnd();
        assertEquals("out hello\n", command.text(RemoteCommand.STDOUT));
        assertEquals("err hello\n", command.text(RemoteCommand.STDERR));
        assertTrue(command.text(RemoteCommand.STATUS).contains("Success"), () -> command.text(RemoteCommand.STATUS));
      }
    }
  }

  @Test
  void stdinOfAContainerEndsWhenItsOnlyClientLeaves() {
    try (var pod = Pod.run(BED, cri, LOOM)) {
      String container = pod.start(settings -> settings.setStdin(true).setStdinOnce(true), "cat");
      String url = cri.call("Attach", AttachRequest.newBuilder().setContainerId(container).setStdin(true)
          .setStdout(true).setStderr(true).build(), AttachResponse.getDefaultInstance()).getUrl();
      try (var client = new RemoteCommand(url)) {
        client.type("through\n");
        Await.until("it comes back", () -> client.text(RemoteCommand.STDOUT).equals("through\n"));
      }
      assertEquals(0, pod.ended(container).getExitCode());
      assertEquals("through\n", CriLog.text(pod.log(container), "stdout"));
    }
  }

  @Test
  void logsAreOnDiskCompleteAndInOrder() {
    try (var pod = Pod.run(BED, cri, LOOM)) {
      String container = pod.started("sh", "-c",
          "for i in $(seq 1000); do echo line $i; done; echo complaint >&2; "
              + "head -c 20000 /dev/zero | tr '\\0' x; echo");
      pod.ended(container);
      Await.until("the log is complete", () -> pod.log(container).stream().anyMatch(line -> line.partial()));
      Await.until("its last line is there", () -> CriLog.text(pod.log(container), "stdout").length() > 20000);
      var expected = new StringBuilder();
      for (int i = 1; i <= 1000; i++) {
        expected.append("line ").append(i).append('\n');
      }
      assertEquals(expected + "x".repeat(20000) + "\n", CriLog.text(pod.log(container), "stdout"));
      assertEquals("complaint\n", CriLog.text(pod.log(container), "stderr"));
    }
  }

  @Test
  void aLogThatHasBeenRotatedGoesOnInANewFile() throws Exception {
    try (var pod = Pod.run(BED, cri, LOOM)) {
      String container = pod.started("sh", "-c", "while :; do echo tick; sleep 0.05; done");
      Await.until("the log begins", () -> !pod.log(container).isEmpty());
      Path file = pod.logFile(container);
      Files.move(file, file.resolveSibling("rotated.log"));
      cri.call("ReopenContainerLog", ReopenContainerLogRequest.newBuilder().setContainerId(container).build(),
          ReopenContainerLogResponse.getDefaultInstance());
      Await.until("the log goes on", () -> !pod.log(container).isEmpty());
    }
  }

  @Test
  void statisticsOfAContainerAndItsPodAreThoseOfItsCgroup() {
    try (var pod = Pod.run(BED, cri, LOOM)) {
      String container = pod.started("sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 1000");
      Await.until("it has used time", () -> cpu(container) > 50_000_000L);
      var stats = cri.call("ContainerStats", ContainerStatsRequest.newBuilder().setContainerId(container).build(),
          ContainerStatsResponse.getDefaultInstance()).getStats();
      assertEquals(container, stats.getAttributes().getId());
      assertTrue(stats.getMemory().getWorkingSetBytes().getValue() > 10_000);
      assumeTrue(!cri.version().startsWith("1.4"), "containerd 1.4 has no statistics of pods");
      var pods = cri.call("ListPodSandboxStats", ListPodSandboxStatsRequest.getDefaultInstance(),
          ListPodSandboxStatsResponse.getDefaultInstance()).getStatsList();
      var ours = pods.stream().filter(one -> one.getAttributes().getId().equals(pod.id())).findFirst().orElseThrow();
      assertEquals(container, ours.getLinux().getContainers(0).getAttributes().getId());
      long time = ours.getLinux().getCpu().getUsageCoreNanoSeconds().getValue();
      assertTrue(time >= 50_000_000L, () -> "the pod has used " + time + " ns");
      long processes = ours.getLinux().getProcess().getProcessCount().getValue();
      assertTrue(processes >= 1, () -> "the pod has " + processes + " processes");
    }
  }

  private static long cpu(String container) {
    return cri.call("ContainerStats", ContainerStatsRequest.newBuilder().setContainerId(container).build(),
        ContainerStatsResponse.getDefaultInstance()).getStats().getCpu().getUsageCoreNanoSeconds().getValue();
  }

  @Test
  void limitsCanBeChangedWhileAContainerRuns() {
    try (var pod = Pod.run(BED, cri, LOOM)) {
      String container = pod.start(Pod.limited(LIMIT_BYTES), "sleep", "1000");
      assertEquals(Long.toString(LIMIT_BYTES), memoryLimit(pod, container));
      cri.call("UpdateContainerResources", UpdateContainerResourcesRequest.newBuilder().setContainerId(container)
          .setLinux(LinuxContainerResources.newBuilder().setMemoryLimitInBytes(HIGHER_LIMIT_BYTES)
              .setMemorySwapLimitInBytes(HIGHER_LIMIT_BYTES)).build(),
          UpdateContainerResourcesResponse.getDefaultInstance());
      assertEquals(Long.toString(HIGHER_LIMIT_BYTES), memoryLimit(pod, container));
    }
  }

  private static String memoryLimit(Pod pod, String container) {
    return Proc.cgroupFile(pod.pid(container), "memory", Shim.UNIFIED ? "memory.max" : "memory.limit_in_bytes");
  }

  @Test
  void aContainerThatIsKilledForWantOfMemorySaysSo() {
    try (var pod = Pod.run(BED, cri, LOOM)) {
      String container = pod.start(Pod.limited(LIMIT_BYTES), "tail", "/dev/zero");
      var status = pod.ended(container);
      assertEquals("137 OOMKilled", status.getExitCode() + " " + status.getReason());
    }
  }

  @Test
  void containersAreInTheCgroupOfTheirPod() {
    try (var pod = Pod.run(BED, cri, LOOM)) {
      String container = pod.started("sleep", "1000");
      for (String id : List.of(pod.id(), container)) {
        String cgroups = Proc.info(pod.pid(id)).orElseThrow().cgroups();
        assertTrue(cgroups.contains(pod.cgroup() + "/" + id), cgroups);
      }
    }
  }

  @Test
  void podsSurviveACrashOfContainerdAndEndsThatItMissedAreKnownAfterwards() {
    try (var pod = Pod.run(BED, cri, LOOM)) {
      String lasting = pod.started("sh", "-c", "while :; do echo tick; sleep 0.1; done");
      String missed = pod.started("sleep", "1000");
      long pid = pod.pid(lasting);
      long victim = pod.pid(missed);
      BED.containerd().crash();
      Proc.kill(victim);
      Await.until("the process is gone", () -> !Proc.alive(victim));
      BED.containerd().restart();
      cri.reconnect();
      assertEquals(PodSandboxState.SANDBOX_READY, pod.state());
      assertEquals(ContainerState.CONTAINER_RUNNING, cri.status(lasting).getState());
      assertEquals(pid, pod.pid(lasting));
      assertEquals(137, pod.ended(missed).getExitCode());
      assertEquals("here\n", cri.exec(lasting, 10, "echo", "here").getStdout().toStringUtf8());
      int lines = pod.log(lasting).size();
      Await.until("the log goes on", () -> pod.log(lasting).size() > lines);
      pod.stop(lasting, 0);
      assertEquals(137, cri.status(lasting).getExitCode());
    }
  }

  @Test
  void aPodWhoseSandboxHasBeenKilledIsNotReadyAndCanBeRemoved() {
    try (var pod = Pod.run(BED, cri, LOOM)) {
      String container = pod.started("sleep", "1000");
      Proc.kill(pod.pid(pod.id()));
      Await.until("it is not ready", () -> pod.state() == PodSandboxState.SANDBOX_NOTREADY);
      assertEquals(ContainerState.CONTAINER_RUNNING, cri.status(container).getState());
    }
  }

  @Test
  void manyPodsComeAndGoAtOnce() throws Exception {
    try (var threads = Executors.newFixedThreadPool(4)) {
      var all = new ArrayList<Future<Boolean>>();
      for (int i = 0; i < 8; i++) {
        all.add(threads.submit(() -> {
          try (var pod = Pod.run(BED, cri, LOOM)) {
            String container = pod.started("sleep", "1000");
            return cri.exec(container, 10, "true").getExitCode() == 0;
          }
        }));
      }
      for (var one : all) {
        assertTrue(one.get());
      }
    }
    assertFalse(Shim.tested().ours() && Install.get().daemons().size() > 2, "more daemons than namespaces");
  }
}
