package io.loomshim.integration.daemon;

import static io.loomshim.integration.harness.Inspect.list;
import static io.loomshim.integration.harness.Inspect.number;
import static io.loomshim.integration.harness.Inspect.the;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.google.protobuf.Any;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.Inspect;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import io.loomshim.json.Json;
import io.loomshim.testing.PrometheusText;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a daemon tells of itself, above all while something hangs. Each test has a daemon of its own. */
final class InsightIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final int STUCK_CALLS = 300;
  private static final int PAGE_COLUMNS = 100;

  private Path directory;
  private Shims shims;

  @BeforeEach
  void prepare() throws IOException {
    Shim.assumeOurs("the Go shims have no inspect");
    directory = Scratch.directory("in");
    shims = new Shims(directory, BED.rootfs());
  }

  @AfterEach
  void end() {
    if (shims != null) {
      shims.remove();
    }
  }

  private ShimClient running(Optional<Any> options) {
    var task = shims.start(Shim.tested(), shims.bundle(Names.id("in"), "sleep", "1000"), options);
    task.create(request -> options.isPresent() ? request.setOptions(options.get()) : request);
    task.start();
    return task;
  }

  /** Has daemons that start within {@code body} run with one more setting. */
  private static void with(String name, String value, String otherwise, Runnable body) {
    var settings = Install.get().settings();
    var changed = new TreeMap<>(Map.of(name, value));
    Install.get().configure(changed);
    try {
      body.run();
    } finally {
      Install.get().configure(Map.of(name, settings.getOrDefault(name, otherwise)));
    }
  }

  /** A runc whose pause tells its pid and never ends. */
  private Optional<Any> hangingPause() {
    return FaultyRunc.options(directory, "pause", "echo $$ > " + directory + "/hung.new; mv " + directory
        + "/hung.new " + directory + "/hung; exec sleep 1000");
  }

  private long hung() {
    Path file = directory.resolve("hung");
    Await.until("runc pause hangs", () -> Files.exists(file));
    try {
      return Long.parseLong(Files.readString(file).strip());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Thread beside(Runnable call) {
    return Thread.ofVirtual().start(() -> ShimClient.failure(call));
  }

  @Test
  void withAHungRuncAndHundredsOfStuckCallsItAnswersAndNamesWhatEachWaitsFor() throws Exception {
    try (var task = running(hangingPause())) {
      task.exec("probe", "sleep", "1000");
      int exec = task.start("probe");
      long daemon = task.connect().getShimPid();
      var threads = new ArrayList<Thread>();
      threads.add(beside(task::pause));
      long hung = hung();
      for (int i = 0; i < STUCK_CALLS; i++) {
        threads.add(beside(() -> task.update("{\"pids\":{\"limit\":50}}")));
      }
      threads.add(beside(() -> task.await("probe")));
      Await.until("all calls are in flight", () -> {
        var report = Inspect.report(daemon);
        return number(report, "calls_total") == STUCK_CALLS + 1 && number(report, "waits_total") >= 1;
      });

      var report = Inspect.report(daemon);
      var calls = list(report, "calls");
      var pause = the(calls, "method", "Pause");
      assertEquals(task.id(), pause.get("container"));
      assertTrue(pause.get("waits_for").toString().startsWith("runc pause since "), pause::toString);
      assertEquals(STUCK_CALLS, calls.stream().filter(call -> call.get("method").equals("Update")
          && call.get("waits_for").equals("an earlier call for the same process")).count(), calls::toString);
      var command = the(list(report, "commands"), "command", "pause");
      assertEquals(task.id(), command.get("container"));
      assertEquals("rpc/Pause/" + task.id(), command.get("thread"));
      var container = the(list(report, "containers"), "id", task.id());
      assertEquals("pausing", container.get("status"));
      assertEquals(task.state("").getPid(), number(container, "pid"));
      assertEquals(task.bundle().path().toString(), container.get("bundle"));
      assertEquals(exec, number(the(list(container, "execs"), "id", "probe"), "pid"));
      // the calls, the wait, and the stories of both processes
      assertTrue(number(container, "threads") >= STUCK_CALLS + 4, container::toString);

      String page = Inspect.run(Long.toString(daemon)).ok().text();
      page.lines().forEach(line -> assertTrue(line.length() <= PAGE_COLUMNS, line));
      for (String part : List.of("daemon " + daemon + " ", "exec probe", "calls in flight: " + (STUCK_CALLS + 1),
          "runc pause since ", "runc create", "State")) {
        assertTrue(page.contains(part), () -> part + " is not in\n" + page);
      }
      Proc.kill(hung);
      for (Thread thread : threads.subList(0, threads.size() - 1)) {
        thread.join();
      }
      task.end();
      threads.getLast().join();
    }
  }

  @Test
  void figuresAreThoseOfTheCallsThatWereMade() {
    try (var task = running(Optional.empty())) {
      for (int i = 0; i < 20; i++) {
        task.state("");
      }
      ShimClient.failure(() -> task.state("nobody"));
      var report = Inspect.report(task.connect().getShimPid());
      var state = the(list(object(report, "latencies"), "calls"), "method", "State");
      assertEquals("21 1", state.get("count") + " " + state.get("failed"));
      long p50 = number(state, "p50_ns");
      assertTrue(0 < p50 && p50 <= number(state, "p99_ns") && number(state, "p99_ns") <= number(state, "max_ns"));
      var create = the(list(object(report, "latencies"), "commands"), "command", "create");
      assertEquals(1, number(create, "count"));
      assertTrue(number(create, "max_ns") > 1_000_000, create::toString);
      assertEquals(shims.namespace() + " namespace", report.get("namespace") + " " + report.get("mode"));
      var process = object(report, "process");
      assertTrue(number(process, "fds") > 5 && number(process, "os_threads") > 5
          && number(process, "resident_bytes") > 10_000_000, process::toString);
      assertTrue(report.get("run").toString().contains(report.get("build") + "@"), report::toString);
      task.end();
    }
  }

  @Test
  void theSameFiguresComeInTheFormOfPrometheus() {
    try (var task = running(Optional.empty())) {
      for (int i = 0; i < 20; i++) {
        task.state("");
      }
      long daemon = task.connect().getShimPid();
      var text = new PrometheusText(Inspect.run("--prometheus", Long.toString(daemon)).ok().text());
      String labels = "daemon=\"" + daemon + "\",namespace=\"" + shims.namespace() + "\"";
      assertEquals(BigDecimal.ONE, text.value("loomshim_up{" + labels + "}"));
      assertEquals(BigDecimal.ONE, text.value("loomshim_containers{" + labels + ",status=\"running\"}"));
      var states = text.samples("loomshim_call_duration_seconds_count", "method=\"State\"");
      assertEquals(20, states.stream().mapToInt(sample -> text.value(sample).intValue()).sum());
      var create = text.samples("loomshim_command_duration_seconds_sum", "command=\"create\"").getFirst();
      assertTrue(0.001 < text.value(create).doubleValue() && text.value(create).doubleValue() < 600, create);
      task.end();
    }
    var none = Inspect.run("--prometheus", "--namespace", "nobody").ok().text();
    assertEquals(BigDecimal.ZERO, new PrometheusText(none).value("loomshim_daemons"));
  }

  private static Map<String, Object> object(Map<String, Object> report, String name) {
    return Json.object(report.get(name)).orElseThrow();
  }

  @Test
  void eventsThatContainerdDoesNotTakeAreShownWithTheReason() {
    try (var task = running(Optional.empty())) {
      shims.sink().close();
      task.exec("unheard", "true");
      long daemon = task.connect().getShimPid();
      Await.until("an attempt has failed", () -> {
        var events = object(Inspect.report(daemon), "events");
        return !events.get("problem").equals("") && number(events, "queued") > 0;
      });
      var events = object(Inspect.report(daemon), "events");
      assertEquals(task.id(), list(events, "waiting").getFirst().get("container"));
      assertTrue(Inspect.run(Long.toString(daemon)).ok().text().contains("the last one failed: "));
      task.end();
    }
  }

  @Test
  void aDaemonIsFoundByItsNamespaceItsDirectoryAndItsPidAndNoneIsSaid() {
    try (var task = running(Optional.empty())) {
      long daemon = task.connect().getShimPid();
      var report = Inspect.report(daemon);
      for (var choice : List.of(List.of("--namespace", shims.namespace()),
          List.of("--run", report.get("run").toString()))) {
        String page = Inspect.run(choice.toArray(String[]::new)).ok().text();
        assertTrue(page.startsWith("daemon " + daemon + " "), page);
        assertEquals(1, page.lines().filter(line -> line.startsWith("daemon ")).count(), page);
      }
      assertTrue(Inspect.run().ok().text().contains("daemon " + daemon + " "));
      task.end();
    }
    for (var none : List.of(List.of("1", "process 1 is no daemon below "),
        List.of("--namespace", "none-s", "no daemon runs for the namespace none-s below "),
        List.of("--run", "/no/where", "no daemon runs in /no/where; "))) {
      var result = Inspect.run(none.subList(0, none.size() - 1).toArray(String[]::new));
      assertEquals("1 ", result.exit() + " " + result.text());
      assertTrue(result.errors().startsWith(none.getLast()), result::toString);
    }
    var misused = Inspect.run("--bogus");
    assertEquals(2, misused.exit());
    assertTrue(misused.errors().contains("unknown argument --bogus\nUsage: "), misused::toString);
  }

  @Test
  void aMistakeInTheSettingsPreventsNoContainerAndIsLoggedAndReported() {
    with("linger_seconds", "5 s", "60", () -> {
      try (var task = running(Optional.empty())) {
        String mistake = ": linger_seconds='5 s' is not a number of seconds; taken instead: 30";
        List<String> told = task.bundle().log().lines()
            .filter(line -> line.contains(" msg=\"mistake in the settings\" ")).toList();
        assertEquals(1, told.size(), told::toString);
        assertTrue(told.getFirst().contains("/etc/loomshim.conf:"), told::toString);
        assertTrue(told.getFirst().contains(mistake), told::toString);
        var report = Inspect.report(task.connect().getShimPid());
        assertTrue(report.get("setting_mistakes").toString().endsWith(mistake + "]"), report::toString);
        var page = Inspect.run("--namespace", shims.namespace()).ok();
        assertTrue(page.text().contains(mistake + "\n"), page::toString);
        assertTrue(page.errors().contains("note: there are mistakes in "), page::toString);
        task.end();
      }
    });
  }

  @Test
  void aStuckCallIsLoggedOnceWithItsStack() {
    with("stuck_seconds", "1", "30", () -> {
      try (var task = running(hangingPause())) {
        beside(() -> task.await(""));
        var pause = beside(task::pause);
        long hung = hung();
        Await.until("it is logged", () -> task.bundle().log().contains("msg=\"call is stuck\""));
        var update = beside(() -> task.update("{\"pids\":{\"limit\":50}}"));
        Await.until("the next one is logged", () -> task.bundle().log().contains("method=Update"));
        List<String> stuck = task.bundle().log().lines().filter(line -> line.contains("call is stuck")).toList();
        assertEquals(2, stuck.size(), stuck::toString);
        assertTrue(stuck.getFirst().contains(" id=" + task.id() + " ") && stuck.getFirst().contains(" method=Pause ")
            && stuck.getFirst().contains("io.loomshim.runc.CommandRunner.await("), stuck::toString);
        Proc.kill(hung);
        Await.until("both end", () -> !pause.isAlive() && !update.isAlive());
        task.end();
      }
    });
  }

  @Test
  void ofJfrOneClassIsLoadedAndThatFromTheArchive() {
    assumeFalse(Install.JFR, "these daemons record from the start: run without -Dloomshim.jfr");
    Path log = directory.resolve("classes");
    with("java_options", "-Xlog:class+load:file=" + log, "''", () -> {
      try (var task = shims.start(Shim.tested(), shims.bundle(Names.id("in"), "sleep", "1000"))) {
        String loaded = classes(log);
        assertTrue(loaded.contains("io.loomshim.daemon.Daemon ") && loaded.contains("io.loomshim.ttrpc.Server "));
        task.create();
        task.start();
        task.end();
        var ofJfr = classes(log).lines().filter(line -> line.contains("jdk.jfr.")
            || line.contains("io.loomshim.metrics.Events")).toList();
        assertEquals(1, ofJfr.size(), ofJfr::toString);
        assertTrue(ofJfr.getFirst().contains("jdk.jfr.FlightRecorder source: shared objects file"), ofJfr::toString);
      }
    });
  }

  /**
   * Reading the first class from the jar takes 10 ms, and making a class for a lambda or for a record several; making
   * BigDecimal ready, which Duration.multipliedBy uses, takes 20 ms and 2 MB.
   */
  @Test
  void everyClassThatAContainerNeedsComesFromTheArchive() {
    assumeFalse(Install.JFR, "the classes that record are not in the archive: run without -Dloomshim.jfr");
    Path log = directory.resolve("classes");
    Path used = directory.resolve("used");
    with("java_options", "-Xlog:class+load:file=" + log + " -Xlog:class+init:file=" + used, "''", () -> {
      try (var task = shims.start(Shim.tested(), shims.bundle(Names.id("in"), "sleep", "1000"))) {
        task.create();
        task.start();
        task.exec("probe", "true");
        task.start("probe");
        task.await("probe");
        task.end();
        List<String> made = classes(log).lines().filter(line -> line.contains(" java.lang.runtime.ObjectMethods ")
            || line.contains(" io.loomshim.") && !line.contains("source: shared objects file")).toList();
        assertEquals(List.of(), made, () -> String.join("\n", made));
        String ready = classes(used);
        assertTrue(ready.contains("'io/loomshim/daemon/Daemon'"), ready);
        assertFalse(ready.contains("'java/math/BigDecimal'"), "BigDecimal is used on the way of a container");
      }
    });
  }

  private static String classes(Path log) {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aRecordingThatJcmdStartsHasTheCallsTheCommandsAndTheLifeOfEachProcess() {
    try (var warm = running(Optional.empty())) {
      long daemon = warm.connect().getShimPid();
      var flight = Flights.start(daemon, directory);
      try (var task = running(Optional.empty())) {
        task.exec("probe", "sh", "-c", "exit 7");
        int exec = task.start("probe");
        task.await("probe");
        ShimClient.failure(() -> task.state("nobody"));
        int init = task.state("").getPid();
        task.end();
        String id = task.id();
        var rpc = flight.dump("io.loomshim.Rpc").stream().filter(e -> e.getString("container").equals(id)).toList();
        var start = rpc.stream().filter(e -> e.getString("method").equals("Start")
            && e.getString("exec").equals("probe")).findFirst().orElseThrow();
        assertEquals("OK", start.getString("code"));
        assertTrue(start.getDuration().toNanos() > 1_000_000, start::toString);
        assertTrue(rpc.stream().anyMatch(e -> e.getString("method").equals("State")
            && e.getString("code").equals("NOT_FOUND")), rpc::toString);
        var commands = flight.dump("io.loomshim.Runc").stream().filter(e -> e.getString("container").equals(id))
            .map(e -> e.getString("command").replace(" (native)", "") + " " + e.getString("status")).toList();
        assertEquals(List.of("create 0", "start 0", "exec 0", "delete 0"), commands);
        assertEquals(List.of("init  " + init, "exec probe " + exec),
            flight.dump("io.loomshim.ProcessStart").stream().filter(e -> e.getString("container").equals(id))
                .map(e -> e.getString("kind") + " " + e.getString("exec") + " " + e.getInt("pid")).toList());
        assertEquals(List.of("exec probe " + exec + " 7", "init  " + init + " 137"),
            flight.dump("io.loomshim.ProcessExit").stream().filter(e -> e.getString("container").equals(id))
                .map(e -> e.getString("kind") + " " + e.getString("exec") + " " + e.getInt("pid") + " "
                    + e.getInt("status")).toList());
      }
      flight.stop();
      warm.end();
    }
  }
}
