package io.loomshim.integration.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Counted;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Docker;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.TakenOver;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The daemon is killed with SIGKILL, with take_over, under those who use Docker. */
@Tag("any-jdk")
final class DockerTakeOverIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final String LOOM = Shim.tested().runtime();
  private static final String STATE = "{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.RestartCount}}";
  private static final int KILLS = Boolean.getBoolean("loomshim.long") ? 40 : 4;

  private static Docker docker;
  private static TakenOver daemon;

  @BeforeAll
  static void begin() {
    Shim.assumeOurs("no other shim is taken over");
    Docker.assumeItIsThere();
    TakenOver.begin();
    docker = new Docker(BED, "{}");
    // what daemons make only once is made now, so that later comparisons are exact
    docker.call("run", "--rm", "--runtime", LOOM, "--network", "none", Docker.IMAGE, "true").ok();
    daemon = new TakenOver(docker.namespace());
    assertTrue(daemon.daemon().alive());
  }

  @AfterAll
  static void end() {
    if (docker != null) {
      docker.close();
      TakenOver.end();
    }
  }

  @Test
  void whoeverIsAttachedExecutesOrFollowsTheLogSeesAPauseAlone() {
    String name = docker.detached(LOOM, List.of("--restart", "always", "--health-cmd", "true", "--health-interval",
        "300ms", "--health-retries", "3"), "sh", "-c",
        "trap 'exit 7' TERM; i=0; while :; do echo $i; i=$((i + 1)); sleep 0.02; done");
    docker.until(name, "{{.State.Health.Status}}", "healthy");
    var follower = docker.begin(Exec.Setting.NO_STDIN, "logs", "--follow", name);
    var wait = docker.begin(Exec.Setting.NO_STDIN, "wait", name);
    var attached = docker.begin(Exec.Setting.PIPE, "run", "--rm", "-i", "--network", "none", "--runtime", LOOM,
        Docker.IMAGE, "cat");
    var exec = docker.begin(Exec.Setting.PIPE, "exec", "-i", name, "cat");
    var expected = new StringBuilder();
    String pid = docker.inspect(name, "{{.State.Pid}}");
    // what has not started yet is undone, and its client told
    attached.type("begun\n");
    exec.type("begun\n");
    expected.append("begun\n");
    comesBack(expected, attached, exec);
    for (int i = 0; i < KILLS; i++) {
      String line = "line " + i + "\n";
      attached.type(line);
      exec.type(line);
      daemon.kill();
      var late = docker.call("exec", name, "sh", "-c", "echo late; exit 5");
      assertEquals("late\n5", late.text() + late.exit(), late::toString);
      expected.append(line);
      comesBack(expected, attached, exec);
    }
    assertEquals("running " + pid + " 0", docker.inspect(name, "{{.State.Status}} {{.State.Pid}} {{.RestartCount}}"));
    assertEquals("healthy", docker.inspect(name, "{{.State.Health.Status}}"));
    exec.feed("the end\n".getBytes());
    assertEquals(expected + "the end\n", exec.await(Ctr.LIMIT).ok().text());
    attached.feed("the end\n".getBytes());
    assertEquals(expected + "the end\n", attached.await(Ctr.LIMIT).ok().text());
    daemon.kill();
    docker.call("stop", "--time", "20", name).ok();
    assertEquals("exited 7 false 0", docker.inspect(name, STATE));
    assertEquals("7\n", wait.await(Ctr.LIMIT).ok().text());
    String log = docker.call("logs", name).ok().text();
    assertTrue(Counted.lines(log) > 50, log);
    assertEquals(log, follower.await(Ctr.LIMIT).ok().text());
    docker.remove(name);
  }

  private static void comesBack(CharSequence expected, Exec... all) {
    for (Exec each : all) {
      Await.until("all comes back", () -> each.output().contentEquals(expected));
    }
  }

  @Test
  void aContainerStartsRightAfterwardsAndOneThatFailsIsRestarted() {
    for (int i = 0; i < KILLS; i++) {
      daemon.kill();
      var result = docker.call("run", "--rm", "--runtime", LOOM, "--network", "none", Docker.IMAGE, "sh", "-c",
          "echo here; exit 4");
      assertEquals("here\n4", result.text() + result.exit(), result::toString);
    }
    String name = docker.detached(LOOM, List.of("--restart", "on-failure:2"), "sh", "-c", "sleep 0.5; false");
    daemon.kill();
    docker.until(name, "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}", "2 exited 1");
    docker.remove(name);
  }
}
