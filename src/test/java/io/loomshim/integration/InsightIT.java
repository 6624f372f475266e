package io.loomshim.integration;

import static io.loomshim.integration.Inspect.list;
import static io.loomshim.integration.Inspect.number;
import static io.loomshim.integration.Inspect.the;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.google.protobuf.Any;
import io.loomshim.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a daemon tells of itself, above all while something hangs. Each test has a daemon of its own. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
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
  void with_a_hung_runc_and_hundreds_of_stuck_calls_it_answers_and_names_what_each_waits_for() throws Exception {
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
  void figures_are_those_of_the_calls_that_were_made() {
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

  private static Map<String, Object> object(Map<String, Object> report, String name) {
    return Json.object(report.get(name)).orElseThrow();
  }

  @Test
  void events_that_containerd_does_not_take_are_shown_with_the_reason() {
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
  void a_daemon_is_found_by_its_namespace_its_directory_and_its_pid_and_none_is_said() {
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
    for (var nobody : List.of(List.of("1"), List.of("--namespace", "nobody-s"), List.of("--run", "/no/where"))) {
      var result = Inspect.run(nobody.toArray(String[]::new));
      assertEquals("1  no daemon runs that is meant", result.exit() + " " + result.text() + " "
          + result.errors().strip());
    }
    var misused = Inspect.run("--bogus");
    assertEquals(2, misused.exit());
    assertTrue(misused.errors().contains("unknown argument --bogus\nUsage: "), misused::toString);
  }

  @Test
  void a_stuck_call_is_logged_once_with_its_stack() {
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
            && stuck.getFirst().contains("io.loomshim.runc.Runc.await("), stuck::toString);
        Proc.kill(hung);
        Await.until("both end", () -> !pause.isAlive() && !update.isAlive());
        task.end();
      }
    });
  }

  @Test
  void of_jfr_nothing_is_loaded_while_a_daemon_starts_and_one_class_when_it_works() {
    assumeFalse(Install.JFR, "these daemons record from the start: run without -Dloomshim.jfr");
    Path log = directory.resolve("classes");
    with("java_options", "-Xlog:class+load:file=" + log, "''", () -> {
      try (var task = shims.start(Shim.tested(), shims.bundle(Names.id("in"), "sleep", "1000"))) {
        String loaded = classes(log);
        assertTrue(loaded.contains("io.loomshim.daemon.Daemon ") && loaded.contains("io.loomshim.ttrpc.Server "));
        assertFalse(loaded.contains("jdk.jfr."), () -> String.join("\n",
            loaded.lines().filter(line -> line.contains("jdk.jfr.")).toList()));
        task.create();
        task.start();
        task.end();
        var ofJfr = classes(log).lines().filter(line -> line.contains("jdk.jfr.")
            || line.contains("io.loomshim.insight.Events")).toList();
        assertEquals(1, ofJfr.size(), ofJfr::toString);
        assertTrue(ofJfr.getFirst().contains("jdk.jfr.FlightRecorder "), ofJfr::toString);
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
  void a_recording_that_jcmd_starts_has_the_calls_the_commands_and_the_life_of_each_process() {
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
            .map(e -> e.getString("command") + " " + e.getString("status")).toList();
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
