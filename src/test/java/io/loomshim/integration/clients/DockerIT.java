package io.loomshim.integration.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Docker;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Containers of Docker. */
@Tag("any-jdk")
final class DockerIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  /** By its type, as {@code --runtime} takes one that nothing is configured for. */
  private static final String LOOM = Shim.tested().runtime();
  /** A name in daemon.json, with options. */
  private static final String NAMED = "loom";
  /** Docker's own. */
  private static final String RUNC = "runc";
  private static final String LIMIT = "16m";

  private static Path runcLog;
  private static Docker docker;

  @BeforeAll
  static void start() throws Exception {
    Docker.assumeItIsThere();
    runcLog = BED.directory().resolve("runc.log");
    Path binary = Files.writeString(BED.directory().resolve("my-runc"),
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >> " + runcLog + "\nexec runc \"$@\"\n");
    Files.setPosixFilePermissions(binary, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path options = Files.writeString(BED.directory().resolve("options.toml"), "BinaryName = \"" + binary + "\"\n");
    docker = new Docker(BED, "{\"" + NAMED + "\": {\"runtimeType\": \"" + LOOM + "\", \"options\": "
        + "{\"ConfigPath\": \"" + options + "\"}}}");
    // what daemons make only once is made now, so that later comparisons are exact
    for (String network : List.of("none", "host")) {
      docker.call("run", "--rm", "--runtime", LOOM, "--network", network, Docker.IMAGE, "true").ok();
    }
  }

  @AfterAll
  static void stop() {
    if (docker != null) {
      docker.close();
    }
  }

  private static Exec.Result run(String runtime, String... words) {
    return docker.call(Stream.concat(Stream.of("run", "--rm", "--network", "none", "--runtime", runtime),
        Arrays.stream(words)).toArray(String[]::new));
  }

  @Test
  void runGivesTheOutputAndTheExitCodeOfTheCommand() {
    var result = run(LOOM, Docker.IMAGE, "sh", "-c", "echo out; echo err >&2; exit 42");
    assertEquals("out\n|err\n|42", result.text() + "|" + result.errors() + "|" + result.exit());
  }

  @Test
  void aCommandThatIsNotThereOrNoProgramFailsAsWithRunc() {
    for (String command : List.of("no-such-program", "/etc")) {
      var ours = run(LOOM, Docker.IMAGE, command);
      assertEquals(run(RUNC, Docker.IMAGE, command).exit(), ours.exit());
      assertTrue(ours.exit() >= 126 && ours.exit() <= 127, ours::toString);
      assertTrue(ours.errors().contains(command), ours::toString);
    }
  }

  @Test
  void aRuntimeOfANameInDaemonJsonGetsItsOptions() throws IOException {
    assertEquals("named\n", run(NAMED, Docker.IMAGE, "echo", "named").ok().text());
    var lines = Files.readAllLines(runcLog);
    assertTrue(lines.stream().anyMatch(line -> line.contains(" create ")), lines::toString);
  }

  @Test
  void stdinReachesTheCommandAndEndsWithItsSource() {
    var cat = docker.begin(Exec.Setting.PIPE, "run", "--rm", "-i", "--network", "none", "--runtime", LOOM,
        Docker.IMAGE, "cat");
    cat.feed("one\ntwo\n".getBytes());
    assertEquals("one\ntwo\n", cat.await(Ctr.LIMIT).ok().text());
  }

  @Test
  void aTerminalIsInteractive() {
    var shell = docker.onTerminal("run --rm -it --network none --runtime " + LOOM + " " + Docker.IMAGE + " sh");
    shell.type("echo is$((40+2)); tty; exit 3\n");
    var result = shell.await(Ctr.LIMIT);
    assertEquals(3, result.exit());
    assertTrue(result.text().contains("is42\r\n/dev/pts/0\r\n"), result::toString);
  }

  @Test
  void execRunsBesideTheFirstProcess() {
    String name = docker.detached(LOOM, List.of(), "sleep", "1000");
    var result = docker.call("exec", name, "sh", "-c", "echo in; exit 5");
    assertEquals("in\n|5", result.text() + "|" + result.exit());
    String theirs = docker.detached(RUNC, List.of(), "sleep", "1000");
    assertEquals(docker.call("exec", theirs, "no-such-program").exit(),
        docker.call("exec", name, "no-such-program").exit());
    docker.remove(theirs);
    var shell = docker.onTerminal("exec -it " + name + " sh");
    shell.type("echo is$((40+2)); exit 6\n");
    var ended = shell.await(Ctr.LIMIT);
    assertTrue(ended.exit() == 6 && ended.text().contains("is42"), ended::toString);
    var cat = docker.begin(Exec.Setting.PIPE, "exec", "-i", name, "cat");
    cat.feed("fed\n".getBytes());
    assertEquals("fed\n", cat.await(Ctr.LIMIT).ok().text());
    var lines = docker.call("top", name).ok().text().lines().toList();
    assertTrue(lines.size() == 2 && lines.get(1).endsWith("sleep 1000"), lines::toString);
    docker.remove(name);
  }

  @Test
  void logsAreCompleteAndInOrder() {
    String name = docker.detached(LOOM, List.of(), "sh", "-c", "seq 2000; echo complaint >&2");
    assertEquals("0", docker.call("wait", name).ok().text().strip());
    var logs = docker.call("logs", name).ok();
    var expected = new StringBuilder();
    for (int i = 1; i <= 2000; i++) {
      expected.append(i).append('\n');
    }
    assertEquals(expected.toString(), logs.text());
    assertEquals("complaint\n", logs.errors());
    docker.remove(name);
  }

  @Test
  void statisticsAndLimitsAreThoseOfItsCgroup() {
    String name = docker.detached(LOOM, List.of("--memory", LIMIT, "--memory-swap", LIMIT), "sleep", "1000");
    String stats = docker.call("stats", "--no-stream", "--format", "{{.MemUsage}} {{.PIDs}}", name).ok().text();
    assertTrue(stats.matches("[1-9][0-9.]*[kKM]iB / 16MiB 1\n"), stats);
    docker.call("update", "--memory", "32m", "--memory-swap", "32m", name).ok();
    String file = Shim.UNIFIED ? "memory.max" : "memory.limit_in_bytes";
    long pid = Long.parseLong(docker.inspect(name, "{{.State.Pid}}"));
    assertEquals(Long.toString(32 << 20), Proc.cgroupFile(pid, "memory", file));
    docker.remove(name);
  }

  @Test
  void aPausedContainerDoesNothingUntilItGoesOn() {
    String name = docker.detached(LOOM, List.of(), "sleep", "1000");
    docker.call("pause", name).ok();
    assertEquals("paused", docker.inspect(name, "{{.State.Status}}"));
    docker.call("unpause", name).ok();
    assertEquals("running", docker.inspect(name, "{{.State.Status}}"));
    assertEquals("here\n", docker.call("exec", name, "echo", "here").ok().text());
    docker.remove(name);
  }

  /** Until its shell has set the trap: the first process of a pid namespace ignores what it has no handler for. */
  private static void awaitReady(String name) {
    Await.until(name + " is ready", () -> docker.call("logs", name).ok().text().equals("ready\n"));
  }

  /** How containers end that are stopped, killed and out of memory. */
  private static List<String> ends(String runtime) {
    var seen = new ArrayList<String>();
    String state = "{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Error}}";
    String stopped = docker.detached(runtime, List.of(), "sh", "-c",
        "trap 'exit 7' TERM; echo ready; sleep 1000 & wait");
    awaitReady(stopped);
    docker.call("stop", "--time", "10", stopped).ok();
    seen.add(docker.inspect(stopped, state));
    String killed = docker.detached(runtime, List.of(), "sleep", "1000");
    docker.call("kill", killed).ok();
    docker.until(killed, "{{.State.Status}}", "exited");
    seen.add(docker.inspect(killed, state));
    String signalled = docker.detached(runtime, List.of("--init=false"), "sh", "-c",
        "trap 'exit 9' USR1; echo ready; sleep 1000 & wait");
    awaitReady(signalled);
    docker.call("kill", "--signal", "USR1", signalled).ok();
    docker.until(signalled, "{{.State.Status}}", "exited");
    seen.add(docker.inspect(signalled, state));
    String greedy = docker.detached(runtime, List.of("--memory", LIMIT, "--memory-swap", LIMIT), "tail", "/dev/zero");
    docker.call("wait", greedy).ok();
    seen.add(docker.inspect(greedy, state));
    List.of(stopped, killed, signalled, greedy).forEach(docker::remove);
    return seen;
  }

  @Test
  void containersEndAsWithRunc() {
    var ours = ends(LOOM);
    assertEquals(List.of("exited 7 false", "exited 137 false", "exited 9 false", "exited 137 true"), ours);
    assertEquals(ends(RUNC), ours);
  }

  @Test
  void aContainerThatFailsIsStartedAgainAsOftenAsItsPolicySays() {
    String name = docker.detached(LOOM, List.of("--restart", "on-failure:2"), "false");
    docker.until(name, "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}", "2 exited 1");
    docker.call("start", name).ok();
    docker.until(name, "{{.State.Status}}", "exited");
    docker.remove(name);
  }

  @Test
  void aHealthCheckIsAnExec() {
    String name = docker.detached(LOOM, List.of("--health-cmd", "test ! -e /tmp/ill", "--health-interval", "200ms",
        "--health-retries", "2"), "sleep", "1000");
    docker.until(name, "{{.State.Health.Status}}", "healthy");
    docker.call("exec", name, "touch", "/tmp/ill").ok();
    docker.until(name, "{{.State.Health.Status}}", "unhealthy");
    docker.remove(name);
  }

  /** The events of a container that is created, started, paused, executed in, killed and removed. */
  private static List<String> events(String runtime) {
    String name = docker.detached(runtime, List.of("--memory", LIMIT, "--memory-swap", LIMIT), "sleep", "1000");
    docker.call("pause", name).ok();
    docker.call("unpause", name).ok();
    docker.call("exec", name, "sh", "-c", "exit 4");
    docker.call("exec", name, "tail", "/dev/zero");
    docker.call("kill", name).ok();
    docker.call("wait", name).ok();
    docker.remove(name);
    // those that there have been
    var now = Instant.now();
    String until = "%d.%09d".formatted(now.getEpochSecond(), now.getNano());
    return docker.call("events", "--since", "10m", "--until", until, "--filter", "container=" + name, "--format",
        "{{.Action}} {{.Actor.Attributes.exitCode}}").ok().text().lines().toList();
  }

  @Test
  void eventsTellTheSameStoryAsWithRunc() {
    var ours = events(LOOM);
    var theirs = events(RUNC);
    assertTrue(ours.contains("oom <no value>") && ours.contains("exec_die 4") && ours.contains("die 137"),
        ours::toString);
    // the kill for want of memory and the end of the exec are told by two sources
    assertEquals(theirs.stream().sorted().toList(), ours.stream().sorted().toList());
  }

  @Test
  void containersOutliveDockerdAndAnEndThatItMissedIsKnownAfterwards() {
    String lasting = docker.detached(LOOM, List.of(), "sh", "-c", "while :; do echo tick; sleep 0.1; done");
    String missed = docker.detached(LOOM, List.of(), "sleep", "1000");
    String pid = docker.inspect(lasting, "{{.State.Pid}}");
    long victim = Long.parseLong(docker.inspect(missed, "{{.State.Pid}}"));
    docker.crash();
    Proc.kill(victim);
    Await.until("the process is gone", () -> !Proc.alive(victim));
    docker.restart();
    assertEquals("running " + pid, docker.inspect(lasting, "{{.State.Status}} {{.State.Pid}}"));
    docker.until(missed, "{{.State.Status}} {{.State.ExitCode}}", "exited 137");
    assertEquals("here\n", docker.call("exec", lasting, "echo", "here").ok().text());
    long lines = docker.call("logs", lasting).ok().text().lines().count();
    Await.until("the log goes on", () -> docker.call("logs", lasting).text().lines().count() > lines);
    docker.remove(lasting);
    docker.remove(missed);
  }

  @Test
  void containersOutliveContainerdToo() {
    String name = docker.detached(LOOM, List.of(), "sleep", "1000");
    BED.containerd().crash();
    BED.containerd().restart();
    Await.until("docker can run something in it again",
        () -> docker.call("exec", name, "echo", "here").text().equals("here\n"));
    docker.call("kill", name).ok();
    docker.until(name, "{{.State.Status}} {{.State.ExitCode}}", "exited 137");
    docker.remove(name);
  }
}
