package io.loomshim.integration.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Counted;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.HeldRunc;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.TwoBuilds;
import io.loomshim.integration.harness.Typist;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The command {@code upgrade}: a daemon hands over to another build, or to other settings, under its containers. */
final class UpgradeIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final int SIGUSR1 = 10;
  private static final Map<String, String> SETTINGS = Map.of("take_over", "true");

  @BeforeAll
  static void ours() {
    Shim.assumeOurs("no other shim hands over");
  }

  /** Has the daemon hand over, and says to which process. */
  private static long handedOver(TwoBuilds builds) {
    long before = builds.daemon();
    var told = builds.upgrade().ok().text();
    long after = builds.daemon();
    assertNotEquals(before, after, told);
    assertEquals("daemon " + before + " (namespace " + builds.shims().namespace()
        + "): has handed over to process " + after + ", build " + builds.build() + "\n", told);
    assertFalse(Proc.alive(before));
    assertTrue(builds.commandLine().contains("/" + builds.build() + "/loomshim.jar"), builds.commandLine());
    return after;
  }

  @Test
  void containersExecsWaitsAndTerminalsGoOnFromBuildToBuildAndBack() throws Exception {
    Path out = Bundle.fifo(BED.directory().resolve("counted"));
    var reader = Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()),
        List.of("cat", out.toString()));
    var settings = Map.of("take_over", "true", "linger_seconds", "2");
    try (var builds = new TwoBuilds(BED.rootfs(), settings); var typist = new Typist(BED.directory(), "typist")) {
      String first = builds.build();
      try (var task = builds.running("sh", "-c", "trap 'exit 7' USR1; while :; do sleep 0.05; done");
          var terminal = builds.open(builds.shims().bundle("terminal", "sh", "-c",
              "stty -echo; echo ready; while read line; do echo got $line; done").withTerminal())) {
        terminal.create(typist::on);
        terminal.start();
        typist.awaitOutput("ready\r\n");
        task.exec("count", r -> r.setStdout(out.toString()), "sh", "-c",
            "i=0; trap 'end=yes' USR1; while [ -z \"$end\" ]; do echo $i; i=$((i + 1)); sleep 0.01; done; exit 9");
        task.start("count");
        var wait = Await.meanwhile(() -> task.await("").getExitStatus());
        var execWait = Await.meanwhile(() -> task.await("count").getExitStatus());
        int pid = task.connect().getTaskPid();
        for (int i = 0; i < 2; i++) {
          if (i == 0) {
            builds.second();
            assertNotEquals(first, builds.build());
          } else {
            builds.first();
            assertEquals(first, builds.build());
          }
          long holder = builds.process("holder");
          long daemon = handedOver(builds);
          Await.until("the holder before has ended", () -> !Proc.alive(holder));
          assertEquals(daemon, task.connect().getShimPid());
          assertEquals(pid, task.connect().getTaskPid());
          assertEquals("RUNNING", task.state("count").getStatus().name());
          task.exec("late" + i, "sh", "-c", "exit 3");
          task.start("late" + i);
          assertEquals(3, task.await("late" + i).getExitStatus());
          terminal.resize("", 100, 30);
          typist.type("line " + i + "\n");
          typist.awaitOutput("got line " + i + "\r\n");
          try (var next = builds.running("true")) {
            assertEquals(0, next.await("").getExitStatus());
            assertEquals(daemon, next.shimPid());
          }
        }
        task.kill(SIGUSR1, "count");
        assertEquals(9, execWait.get(60, TimeUnit.SECONDS));
        assertTrue(Counted.lines(reader.await(Ctr.LIMIT).ok().text()) > 50);
        task.kill(SIGUSR1, "");
        assertEquals(7, wait.get(60, TimeUnit.SECONDS));
      }
      Await.until("the run directory is gone with the daemon, and all of its names",
          () -> builds.entries().stream().noneMatch(path -> path.getFileName().toString().contains("@")));
    }
  }

  @Test
  void settingsThatHaveChangedCountAfterAnUpgradeAndAreNotTakenTwice() throws Exception {
    try (var builds = new TwoBuilds(BED.rootfs(), SETTINGS); var task = builds.running("sleep", "1000")) {
      String same = builds.upgrade().ok().text();
      assertTrue(same.endsWith("is of the installed build and has these settings already\n"), same);
      builds.configure(Map.of("linger_seconds", "71", "stuck_seconds", "17"));
      handedOver(builds);
      String line = builds.commandLine();
      assertTrue(line.contains("-linger 71") && line.contains("-stuck 17"), line);
      assertEquals("RUNNING", task.state("").getStatus().name());
      same = builds.upgrade().ok().text();
      assertTrue(same.endsWith("is of the installed build and has these settings already\n"), same);
    }
  }

  @Test
  void onlyDaemonsOfTheNamespaceThatIsNamedHandOver() {
    try (var builds = new TwoBuilds(BED.rootfs(), SETTINGS); var task = builds.running("sleep", "1000")) {
      builds.second();
      long daemon = builds.daemon();
      assertEquals("no daemon runs for the namespace other below " + builds.only().getParent() + "\n",
          builds.upgrade("--namespace", "other").ok().text());
      assertEquals(daemon, builds.daemon());
      builds.upgrade("--namespace", builds.shims().namespace()).ok();
      assertNotEquals(daemon, builds.daemon());
      assertEquals("RUNNING", task.state("").getStatus().name());
    }
  }

  @Test
  void aCreationThatIsUnderWayIsWaitedFor() throws Exception {
    var held = new HeldRunc(BED.directory(), "create");
    try (var builds = new TwoBuilds(BED.rootfs(), SETTINGS); var task = builds.running("sleep", "1000");
        var late = builds.open("sleep", "1000")) {
      builds.second();
      long before = builds.daemon();
      var creation = late.creating(held.options());
      held.awaitHeld();
      var upgrade = builds.beginUpgrade();
      Await.until("the next daemon is there", () -> Proc.all().values().stream()
          .anyMatch(process -> process.parent() == before && process.commandLine().contains("-stand-by")));
      held.release();
      String told = upgrade.await(Ctr.LIMIT).ok().text();
      assertTrue(told.contains("has handed over to process " + builds.daemon()), told);
      assertEquals("no error: ", creation.get(60, TimeUnit.SECONDS));
      late.start();
      assertEquals("RUNNING", late.state("").getStatus().name());
      assertEquals("RUNNING", task.state("").getStatus().name());
    }
  }

  @Test
  void anEndThatComesRightAfterwardsIsToldAsItWas() throws Exception {
    try (var builds = new TwoBuilds(BED.rootfs(), SETTINGS);
        var task = builds.running("sh", "-c", "trap 'exit 7' TERM; echo; while :; do sleep 0.05; done")) {
      var wait = Await.meanwhile(() -> task.await("").getExitStatus());
      builds.second();
      handedOver(builds);
      task.kill(15, "");
      assertEquals(7, wait.get(60, TimeUnit.SECONDS));
      builds.shims().sink().until(builds.shims().namespace(), task.id(), "/tasks/exit");
      task.delete("");
    }
  }

  @Test
  void aDaemonThatWasTakenOverAfterASigkillHandsOverToo() throws Exception {
    try (var builds = new TwoBuilds(BED.rootfs(), SETTINGS); var task = builds.running("sleep", "1000")) {
      long killed = builds.daemon();
      Proc.kill(killed);
      assertEquals("RUNNING", task.state("").getStatus().name());
      builds.second();
      long second = handedOver(builds);
      Proc.kill(second);
      assertEquals("RUNNING", task.state("").getStatus().name());
      assertTrue(builds.commandLine().contains("/" + builds.build() + "/loomshim.jar"), builds.commandLine());
      try (var next = builds.running("true")) {
        assertEquals(0, next.await("").getExitStatus());
      }
    }
  }

  @Test
  void withAutoUpgradeAnInstallationHandsOverAndRemovesTheBuildBefore() {
    try (var builds = new TwoBuilds(BED.rootfs(), Map.of("take_over", "true", "auto_upgrade", "true"));
        var task = builds.running("sleep", "1000")) {
      String first = builds.build();
      long before = builds.daemon();
      String told = builds.second();
      assertTrue(told.contains("daemon " + before + " ") && told.contains(": has handed over to process "
          + builds.daemon()), told);
      assertEquals("RUNNING", task.state("").getStatus().name());
      assertFalse(builds.has(first));
      task.exec("late", "sh", "-c", "exit 3");
      task.start("late");
      assertEquals(3, task.await("late").getExitStatus());
    }
  }

  /** The processes of containers are no children of such a daemon, and it has no logs that nobody reads. */
  @Test
  void whatHasTakenContainersOverIsNotUninstalled() {
    try (var builds = new TwoBuilds(BED.rootfs(), SETTINGS); var task = builds.running("sleep", "1000")) {
      builds.second();
      task.bundle().leaveLog();
      long daemon = handedOver(builds);
      Exec.Result told = builds.uninstall();
      assertEquals(1, told.exit(), told.toString());
      assertTrue(told.toString().contains("daemons still serve 1 containers or processes of containers"),
          told.toString());
      assertTrue(Proc.alive(daemon));
      assertEquals("RUNNING", task.state("").getStatus().name());
    }
  }

  /** Of changed settings what counts for an exec is what counted when it started. */
  @Test
  void anExecKeepsItsTreeThoughLaterOnesHaveNone() {
    try (var builds = new TwoBuilds(BED.rootfs(), Map.of("take_over", "true", "kill_exec_tree", "true"));
        var task = builds.running("sleep", "1000")) {
      task.exec("tree", "sh", "-c", "setsid sleep 4721 & exec sleep 1000");
      task.start("tree");
      Await.until("it has started another", () -> runs("sleep 4721"));
      builds.configure(Map.of("kill_exec_tree", "false"));
      handedOver(builds);
      task.kill(ShimClient.KILL, "tree");
      assertEquals(137, task.await("tree").getExitStatus());
      assertFalse(runs("sleep 4721"));
    }
  }

  private static boolean runs(String command) {
    return Proc.all().values().stream().anyMatch(info -> info.commandLine().equals(command) && !info.zombie());
  }
}
