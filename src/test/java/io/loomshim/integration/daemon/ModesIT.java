package io.loomshim.integration.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.TwoBuilds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code take_over} where a pod or a container has a daemon of its own, and {@code upgrade} of several daemons. */
final class ModesIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  @BeforeAll
  static void ours() {
    Shim.assumeOurs("Go shims know one mode");
  }

  /** A container that runs, in the pod {@code sandbox}. */
  private static ShimClient member(TwoBuilds builds, String sandbox) throws IOException {
    var bundle = builds.shims().bundle(Names.id("member"), "sleep", "1000");
    Path config = bundle.path().resolve("config.json");
    Files.writeString(config, Files.readString(config).replaceFirst("\\{",
        "{\n  \"annotations\": {\"io.kubernetes.cri.sandbox-id\": \"" + sandbox + "\"},"));
    return running(builds, bundle);
  }

  private static ShimClient running(TwoBuilds builds, Bundle bundle) {
    var task = builds.open(bundle);
    task.create();
    task.start();
    return task;
  }

  private static long kill(ShimClient task) {
    long pid = task.connect().getShimPid();
    Proc.kill(pid);
    Await.until("the daemon is dead", () -> !Proc.alive(pid));
    return pid;
  }

  private static void goesOn(ShimClient task) {
    assertEquals("RUNNING", task.state("").getStatus().name());
    task.exec("late", "sh", "-c", "exit 3");
    task.start("late");
    assertEquals(3, task.await("late").getExitStatus());
    task.delete("late");
  }

  @Test
  void theContainersOfAPodGoOnAndOtherPodsNoticeNothing() throws Exception {
    try (var builds = new TwoBuilds(BED.rootfs(), Map.of("take_over", "true", "mode", "pod"));
        var one = member(builds, "pod-one"); var beside = member(builds, "pod-one");
        var other = member(builds, "pod-two")) {
      long daemon = one.connect().getShimPid();
      long untouched = other.connect().getShimPid();
      assertEquals(daemon, beside.connect().getShimPid());
      assertNotEquals(daemon, untouched);
      var wait = Await.meanwhile(() -> beside.await("").getExitStatus());
      kill(one);
      goesOn(one);
      goesOn(beside);
      long next = one.connect().getShimPid();
      assertNotEquals(daemon, next);
      assertEquals(untouched, other.connect().getShimPid());
      try (var late = member(builds, "pod-one")) {
        assertEquals(next, late.connect().getShimPid());
      }
      beside.kill(ShimClient.KILL, "");
      assertEquals(137, wait.get(60, TimeUnit.SECONDS));
    }
  }

  @Test
  void aContainerWithADaemonOfItsOwnGoesOn() throws Exception {
    try (var builds = new TwoBuilds(BED.rootfs(), Map.of("take_over", "true", "mode", "container"));
        var one = builds.running("sleep", "1000"); var other = builds.running("sleep", "1000")) {
      long untouched = other.connect().getShimPid();
      var wait = Await.meanwhile(() -> one.await("").getExitStatus());
      long daemon = kill(one);
      goesOn(one);
      assertNotEquals(daemon, one.connect().getShimPid());
      assertEquals(untouched, other.connect().getShimPid());
      one.kill(ShimClient.KILL, "");
      assertEquals(137, wait.get(60, TimeUnit.SECONDS));
    }
  }

  /** containerd 2 sends the containers of a sandbox without a start. */
  @Test
  void whatJoinsASandboxAfterATakeOverIsServedByTheNextDaemon() throws Exception {
    try (var builds = new TwoBuilds(BED.rootfs(), Map.of("take_over", "true", "mode", "pod", "task_api", "3"));
        var sandbox = builds.running("sleep", "1000")) {
      kill(sandbox);
      var bundle = builds.shims().bundle(Names.id("joined"), "sleep", "1000");
      Files.writeString(bundle.path().resolve("sandbox"), sandbox.id());
      try (var joined = builds.shims().join(sandbox, Shim.tested(), bundle)) {
        joined.create();
        joined.start();
        assertEquals(sandbox.connect().getShimPid(), joined.connect().getShimPid());
        kill(sandbox);
        goesOn(joined);
        goesOn(sandbox);
      }
    }
  }

  @Test
  void allDaemonsOfPodsHandOverAndPodsThatComeLaterJoinThem() throws Exception {
    try (var builds = new TwoBuilds(BED.rootfs(), Map.of("take_over", "true", "mode", "pod"));
        var one = member(builds, "pod-one"); var other = member(builds, "pod-two")) {
      builds.second();
      String told = builds.upgrade().ok().text();
      assertEquals(2, told.lines().filter(line -> line.contains(": has handed over to process ")).count(), told);
      goesOn(one);
      goesOn(other);
      assertNotEquals(one.connect().getShimPid(), other.connect().getShimPid());
      try (var late = member(builds, "pod-one")) {
        assertEquals(one.connect().getShimPid(), late.connect().getShimPid());
      }
      assertTrue(builds.upgrade().ok().text().lines().allMatch(line -> line.endsWith(
          "is of the installed build and has these settings already")));
    }
  }
}
