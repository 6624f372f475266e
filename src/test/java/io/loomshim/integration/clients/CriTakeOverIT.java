package io.loomshim.integration.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.StatusRuntimeException;
import io.loomshim.integration.cri.ContainerState;
import io.loomshim.integration.cri.ExecRequest;
import io.loomshim.integration.cri.ExecResponse;
import io.loomshim.integration.cri.PodSandboxState;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Counted;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.TakenOver;
import io.loomshim.ttrpc.Redo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The daemon is killed with SIGKILL, with take_over, under pods that are probed. */
@Tag("any-jdk")
final class CriTakeOverIT {
  private static final String LOOM = "loom";
  private static final CriHost HOST = new CriHost(Map.of(
      LOOM, new CriHost.Runtime(Shim.tested().runtime(), Map.of(), "")));

  @RegisterExtension
  static final Bed BED = new Bed(directory -> Containerd.start(directory, HOST.configuration(directory)));

  private static final int PODS = 6;
  private static final int KILLS = Boolean.getBoolean("loomshim.long") ? 40 : 4;
  private static final long PROBE_PAUSE_MILLIS = 200;
  /** As kubelet has it: a probe that has no answer, which is not one that has failed, is tried again. */
  private static final int PROBE_TRIES = 3;
  private static final String[] COUNTING = {"sh", "-c",
      "trap 'exit 7' TERM; i=0; while :; do echo $i; i=$((i + 1)); sleep 0.02; done"};

  private static Cri cri;
  private static TakenOver daemon;

  @BeforeAll
  static void begin() {
    Shim.assumeOurs("no other shim is taken over");
    TakenOver.begin();
    cri = CriHost.connect(BED);
    // what the daemon loads only once is loaded now, so that later comparisons are exact
    try (var pod = Pod.run(BED, cri, LOOM)) {
      cri.exec(pod.started("sleep", "1000"), 0, "true");
    }
    daemon = new TakenOver(CriHost.NAMESPACE);
    assertTrue(daemon.daemon().alive());
  }

  @AfterAll
  static void end() {
    if (cri != null) {
      cri.close();
      TakenOver.end();
    }
  }

  /** Probes until {@code over}, and counts; what was wrong with any. */
  private static String probe(String container, AtomicInteger probes, AtomicBoolean over) {
    while (!over.get()) {
      String problem = "";
      for (int i = 0; i < PROBE_TRIES; i++) {
        problem = once(container, "probe" + probes.get());
        if (!problem.contains(Redo.IN_DOUBT)) {
          break;
        }
      }
      if (!problem.isEmpty()) {
        return "probe " + probes.get() + ": " + problem;
      }
      probes.incrementAndGet();
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(PROBE_PAUSE_MILLIS));
    }
    return "";
  }

  private static String once(String container, String word) {
    try {
      var answer = cri.exec(container, 0, "echo", word);
      String told = answer.getExitCode() + answer.getStdout().toStringUtf8();
      return told.equals("0" + word + "\n") ? "" : told;
    } catch (StatusRuntimeException e) {
      return e.toString();
    }
  }

  @Test
  void podsThatAreProbedGoOnWithoutARestartAFailedProbeOrAGapInTheirLogs() throws Exception {
    var pods = new ArrayList<Pod>();
    var over = new AtomicBoolean();
    try (var threads = Executors.newCachedThreadPool()) {
      for (int i = 0; i < PODS; i++) {
        pods.add(Pod.run(BED, cri, LOOM));
      }
      var containers = new ArrayList<List<String>>();
      var probes = new ArrayList<Future<String>>();
      var counts = new ArrayList<AtomicInteger>();
      var pids = new ArrayList<Long>();
      for (Pod pod : pods) {
        var ids = List.of(pod.started(COUNTING), pod.started(COUNTING));
        containers.add(ids);
        for (String id : ids) {
          pids.add(pod.pid(id));
          var count = new AtomicInteger();
          counts.add(count);
          Callable<String> probing = () -> probe(id, count, over);
          probes.add(threads.submit(probing));
        }
      }
      for (int i = 0; i < KILLS; i++) {
        daemon.kill();
        var before = counts.stream().map(AtomicInteger::get).toList();
        for (int n = 0; n < counts.size(); n++) {
          int one = n;
          Await.until("it has been probed since", () -> counts.get(one).get() > before.get(one) + 1
              || probes.get(one).isDone());
        }
      }
      over.set(true);
      for (Future<String> one : probes) {
        assertEquals("", one.get(60, TimeUnit.SECONDS));
      }
      var after = new ArrayList<Long>();
      for (int n = 0; n < PODS; n++) {
        assertEquals(PodSandboxState.SANDBOX_READY, pods.get(n).state());
        for (String id : containers.get(n)) {
          assertEquals(ContainerState.CONTAINER_RUNNING, cri.status(id).getState());
          after.add(pods.get(n).pid(id));
        }
      }
      assertEquals(pids, after);
      daemon.kill();
      for (int n = 0; n < PODS; n++) {
        for (String id : containers.get(n)) {
          pods.get(n).stop(id, 20);
          assertEquals(7, cri.status(id).getExitCode());
          assertTrue(Counted.lines(CriLog.text(pods.get(n).log(id), "stdout")) > 50);
        }
      }
    } finally {
      over.set(true);
      pods.forEach(Pod::close);
    }
  }

  @Test
  void anInteractiveExecAndAPodThatComesRightAfterwards() throws Exception {
    try (var pod = Pod.run(BED, cri, LOOM)) {
      String container = pod.started("sleep", "1000");
      String url = cri.call("Exec", ExecRequest.newBuilder().setContainerId(container).addCmd("sh").setTty(true)
          .setStdin(true).setStdout(true).build(), ExecResponse.getDefaultInstance()).getUrl();
      try (var shell = new RemoteCommand(url)) {
        shell.type("echo is$((40+2))\n");
        Await.until("it answers", () -> shell.text(RemoteCommand.STDOUT).contains("is42"));
        daemon.kill();
        shell.type("echo still$((40+2))\n");
        Await.until("it answers", () -> shell.text(RemoteCommand.STDOUT).contains("still42"));
        shell.type("exit 5\n");
        shell.awaitEnd();
        assertTrue(shell.text(RemoteCommand.STATUS).contains("\"message\":\"5\""),
            () -> shell.text(RemoteCommand.STATUS));
      }
      daemon.kill();
      try (var next = Pod.run(BED, cri, LOOM)) {
        assertEquals("", once(next.started("sleep", "1000"), "next"));
      }
      assertEquals("", once(container, "before"));
    }
  }
}
