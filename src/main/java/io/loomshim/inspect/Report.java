package io.loomshim.inspect;

import io.loomshim.container.Container;
import io.loomshim.container.ContainerProcess;
import io.loomshim.container.Containers;
import io.loomshim.event.Outbox;
import io.loomshim.json.Json;
import io.loomshim.metrics.Latency;
import io.loomshim.metrics.Shortages;
import io.loomshim.proto.types.Status;
import io.loomshim.runc.RuncCalls;
import io.loomshim.threads.Aside;
import io.loomshim.ttrpc.Call;
import io.loomshim.ttrpc.Server;
import io.loomshim.ttrpc.Service;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The state of one daemon at one moment, as JSON. docs/INSPECT.md explains each name; names do not change. The thread
 * of one call makes it and uses it. Its lists are bounded, so it always fits a frame.
 */
public final class Report {
  /**
   * Containers that are listed, sorted by name; the rest is only counted. About 400 bytes each with bundle and
   * execs.
   */
  static final int CONTAINERS_MAX = 2000;
  /** Execs that are listed, of all containers together; about 150 bytes each. */
  static final int EXECS_MAX = 5000;
  /** Calls, commands and waiting containers that are listed, the oldest first. */
  static final int ROWS_MAX = 500;

  private final Identity identity;
  private final Containers known;
  private final Outbox events;
  private final Server server;
  private final long startNanos;
  private final Map<String, Object> origin;
  private final long now = System.nanoTime();
  private int execsLeft = EXECS_MAX;

  Report(Identity identity, Containers known, Outbox events, Server server, long startNanos,
      Map<String, Object> origin) {
    this.origin = origin;
    this.identity = identity;
    this.known = known;
    this.events = events;
    this.server = server;
    this.startNanos = startNanos;
  }

  String json() {
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("pid", ProcessHandle.current().pid());
    report.put("namespace", identity.namespace());
    report.put("mode", identity.mode());
    report.put("containerd", identity.containerd());
    report.put("run", identity.run().toString());
    report.put("build", identity.build());
    report.put("release", String.valueOf(Report.class.getPackage().getImplementationVersion()));
    report.put("java", System.getProperty("java.runtime.version", ""));
    report.put("uptime_ms", millis(now - startNanos));
    report.put("started_at", Instant.now().minusNanos(now - startNanos).truncatedTo(ChronoUnit.MILLIS).toString());
    if (!origin.isEmpty()) {
      report.put("took_over", origin);
    }
    var without = new ArrayList<Object>();
    for (var shortage : Shortages.now().entrySet()) {
      without.add(row("what", shortage.getKey(), "instead", shortage.getValue()));
    }
    report.put("without", without);
    report.put("setting_mistakes", identity.mistakes());
    report.put("process", new ProcessFigures(server.connections()).all());
    addContainers(report);
    addCalls(report);
    addEvents(report);
    report.put("latencies", latencies());
    return Json.write(report);
  }

  private void addContainers(Map<String, Object> report) {
    Map<String, Object> containers = new TreeMap<>();
    for (String id : known.ids()) {
      containers.put(id, row("id", id, "status", "creating", "pid", 0, "bundle", "", "execs_total", 0,
          "execs", List.of()));
    }
    for (Container container : known.all()) {
      containers.put(container.id(), container(container));
    }
    var threads = ThreadNames.count(identity.run(), containers.keySet());
    for (var entry : containers.entrySet()) {
      Json.object(entry.getValue()).orElseThrow().put("threads", threads.byContainer().getOrDefault(entry.getKey(), 0));
    }
    report.put("threads", row("total", threads.total(), "of_containers", threads.ofContainers(), "problem",
        threads.problem()));
    Map<String, Object> statuses = new TreeMap<>();
    for (Object container : containers.values()) {
      statuses.merge(String.valueOf(Json.object(container).orElseThrow().get("status")), 1L, Report::sum);
    }
    report.put("statuses", statuses);
    report.put("containers_total", containers.size());
    report.put("containers", first(List.copyOf(containers.values()), CONTAINERS_MAX));
  }

  private static Object sum(Object one, Object other) {
    return (Long) one + (Long) other;
  }

  private Map<String, Object> container(Container container) {
    var processes = container.processes();
    ContainerProcess init = processes.getFirst();
    var execs = new ArrayList<Object>();
    for (ContainerProcess exec : first(processes.subList(1, processes.size()), execsLeft)) {
      execsLeft--;
      execs.add(row("id", exec.id(), "status", word(exec.status()), "pid", exec.pid()));
    }
    return row("id", container.id(), "status", word(init.status()), "pid", init.pid(), "bundle",
        container.bundle().toString(), "execs_total", processes.size() - 1, "execs", execs);
  }

  private static String word(Status status) {
    return status.name().toLowerCase(Locale.ROOT);
  }

  private void addCalls(Map<String, Object> report) {
    var calls = new ArrayList<Object>();
    int total = 0;
    int waits = 0;
    List<RuncCalls.Running> commands = known.commands().running();
    List<Aside.Running> steps = Aside.running();
    for (Call call : server.inFlight()) {
      if (call.service().equals(Inspection.SERVICE)) {
        continue;
      }
      if (call.endless()) {
        waits++;
      } else {
        total++;
        if (calls.size() < ROWS_MAX) {
          calls.add(call(call, steps, commands));
        }
      }
    }
    report.put("waits_total", waits);
    report.put("calls_total", total);
    report.put("calls", calls);
    var rows = new ArrayList<Object>();
    for (RuncCalls.Running command : first(commands, ROWS_MAX)) {
      rows.add(row("command", command.command(), "container", command.container(), "age_ms",
          millis(now - command.startNanos()), "thread", command.thread().getName()));
    }
    report.put("commands_total", commands.size());
    report.put("commands", rows);
    addSteps(report, steps);
  }

  private void addSteps(Map<String, Object> report, List<Aside.Running> steps) {
    var rows = new ArrayList<Object>();
    for (Aside.Running step : first(steps, ROWS_MAX)) {
      rows.add(row("step", step.what(), "age_ms", millis(now - step.startNanos()), "thread", step.callerName(),
          "abandoned", step.left()));
    }
    report.put("file_steps_total", steps.size());
    report.put("file_steps", rows);
  }

  private Map<String, Object> call(Call call, List<Aside.Running> steps, List<RuncCalls.Running> commands) {
    Map<String, Object> row = row("service", call.service(), "method", call.method(), "container",
        call.subject().container(), "exec", call.subject().exec(), "connection", call.connection(), "age_ms",
        millis(now - call.startNanos()), "waits_for", Waits.of(call, steps, commands, now));
    if (call.remaining().isPresent()) {
      row.put("deadline_ms", call.remaining().get().toMillis());
    }
    return row;
  }

  private void addEvents(Map<String, Object> report) {
    Outbox.View view = events.view();
    var waiting = new ArrayList<Object>();
    Instant wall = Instant.now();
    for (Outbox.Waiting container : first(view.waiting(), ROWS_MAX)) {
      waiting.add(row("container", container.container(), "count", container.count(), "oldest_ms",
          Math.max(0, Duration.between(container.since(), wall).toMillis())));
    }
    var counters = view.counters();
    report.put("events", row("queued", counters.queued(), "sent", counters.sent(), "retried", counters.retried(),
        "dropped", counters.dropped(), "problem", view.problem(), "next_try_ms",
        Math.max(0, view.nextTry().toMillis()), "containers_total", view.waiting().size(), "waiting", waiting));
  }

  private Map<String, Object> latencies() {
    var calls = new ArrayList<Object>();
    for (Service.Usage usage : sorted(server.usage(), usage -> usage.method() + usage.service())) {
      if (!usage.service().equals(Inspection.SERVICE)) {
        calls.add(figures(row("service", usage.service(), "method", usage.method()), usage.latency()));
      }
    }
    var commands = new ArrayList<Object>();
    for (RuncCalls.Usage usage : sorted(known.commands().usage(), RuncCalls.Usage::command)) {
      commands.add(figures(row("command", usage.command()), usage.latency()));
    }
    return row("bounds_ns", Latency.bounds(), "calls", calls, "commands", commands);
  }

  private static Map<String, Object> figures(Map<String, Object> row, Latency.Summary latency) {
    row.put("count", latency.count());
    row.put("failed", latency.failed());
    row.put("sum_ns", latency.sum());
    row.put("p50_ns", latency.p50());
    row.put("p99_ns", latency.p99());
    row.put("max_ns", latency.max());
    row.put("within", latency.within());
    return row;
  }

  private static <T> List<T> sorted(List<T> list, Function<T, String> key) {
    var copy = new ArrayList<>(list);
    copy.sort(Comparator.comparing(key));
    return copy;
  }

  private static <T> List<T> first(List<T> list, int max) {
    return list.subList(0, Math.min(max, list.size()));
  }

  /** An object with the given names and values: name, value, name, value and so on. */
  public static Map<String, Object> row(Object... members) {
    var row = new LinkedHashMap<String, Object>();
    for (int i = 0; i < members.length; i += 2) {
      row.put((String) members[i], members[i + 1]);
    }
    return row;
  }

  private static long millis(long nanos) {
    return nanos / 1_000_000;
  }
}
