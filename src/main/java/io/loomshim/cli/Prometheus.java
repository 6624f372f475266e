package io.loomshim.cli;

import io.loomshim.cli.Exposition.Labels;
import io.loomshim.json.Json;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The answers of all daemons as metrics of Prometheus. docs/INSPECT.md has the table of them. A daemon is told from
 * others by its pid, in the label {@code daemon}, as several may serve one namespace. Used by one thread.
 */
final class Prometheus {
  private final Exposition out = new Exposition();

  private Prometheus() {}

  /** The text for all {@code reports}; one of a daemon that did not answer has the name {@code error}. */
  static String text(List<Map<String, Object>> reports) {
    var all = new Prometheus();
    all.out.gauge("loomshim_daemons", "Daemons that run.", Labels.NONE, BigDecimal.valueOf(reports.size()));
    for (Map<String, Object> report : reports) {
      all.daemon(report);
    }
    return all.out.text();
  }

  private void daemon(Map<String, Object> report) {
    Labels labels = Labels.NONE.and("daemon", string(report, "pid")).and("namespace", string(report, "namespace"));
    boolean answered = !report.containsKey("error");
    gauge("up", "Whether the daemon has answered.", labels, answered ? 1 : 0);
    if (!answered) {
      return;
    }
    gauge("daemon_info", "What the daemon is.", labels.and("mode", string(report, "mode"))
        .and("build", string(report, "build")).and("release", string(report, "release"))
        .and("java", string(report, "java")).and("containerd", string(report, "containerd")), 1);
    gauge("start_time_seconds", "When the daemon started, since 1970-01-01.", labels,
        BigDecimal.valueOf(Instant.parse(string(report, "started_at")).toEpochMilli(), 3).stripTrailingZeros());
    process(report, labels);
    work(report, labels);
    events(object(report, "events"), labels);
    durations(object(report, "latencies"), labels);
  }

  private void process(Map<String, Object> report, Labels labels) {
    Map<String, Object> process = object(report, "process");
    gauge("resident_memory_bytes", "Resident memory of the daemon.", labels, number(process, "resident_bytes"));
    gauge("heap_used_bytes", "Heap in use.", labels, number(process, "heap_used_bytes"));
    gauge("heap_max_bytes", "The most heap that there may be.", labels, number(process, "heap_max_bytes"));
    gauge("open_fds", "Open file descriptors.", labels, number(process, "fds"));
    gauge("os_threads", "Threads of the operating system.", labels, number(process, "os_threads"));
    gauge("threads", "All threads, virtual ones included.", labels, number(object(report, "threads"), "total"));
    gauge("connections", "Clients that are connected.", labels, number(process, "connections"));
    for (Map<String, Object> shortage : objects(report, "without")) {
      gauge("shortage", "What the daemon lacks because the system has none left.",
          labels.and("what", string(shortage, "what")), 1);
    }
  }

  private void work(Map<String, Object> report, Labels labels) {
    for (var status : object(report, "statuses").entrySet()) {
      gauge("containers", "Containers by status.", labels.and("status", status.getKey()),
          number(object(report, "statuses"), status.getKey()));
    }
    gauge("calls_in_flight", "Calls that have no reply yet, but for Wait.", labels, number(report, "calls_total"));
    gauge("oldest_call_age_seconds", "How long the oldest of these calls has been in flight.", labels,
        oldest(report, "calls"));
    gauge("waits_in_flight", "Calls of Wait, which end with a process.", labels, number(report, "waits_total"));
    gauge("commands_running", "Commands of the runtime that run.", labels, number(report, "commands_total"));
    gauge("oldest_command_age_seconds", "How long the oldest of these commands has run.", labels,
        oldest(report, "commands"));
    gauge("file_steps_running", "Steps that wait for a file system.", labels, number(report, "file_steps_total"));
  }

  private void events(Map<String, Object> events, Labels labels) {
    gauge("events_queued", "Events that containerd has not taken yet.", labels, number(events, "queued"));
    counter("events_sent_total", "Events that containerd has taken.", labels, number(events, "sent"));
    counter("events_retried_total", "Tries to send events that failed.", labels, number(events, "retried"));
    counter("events_dropped_total", "Events that were given up.", labels, number(events, "dropped"));
  }

  private void durations(Map<String, Object> latencies, Labels labels) {
    List<Long> bounds = numbers(latencies, "bounds_ns");
    for (Map<String, Object> row : objects(latencies, "calls")) {
      durations("call", "calls of containerd", row, bounds,
          labels.and("service", string(row, "service")).and("method", string(row, "method")));
    }
    for (Map<String, Object> row : objects(latencies, "commands")) {
      durations("command", "commands of the runtime", row, bounds, labels.and("command", string(row, "command")));
    }
  }

  private void durations(String kind, String words, Map<String, Object> row, List<Long> bounds, Labels labels) {
    out.durations("loomshim_" + kind + "_duration_seconds", "How long " + words + " took.", labels, bounds,
        numbers(row, "within"), number(row, "count"), number(row, "sum_ns"));
    counter(kind + "_failures_total", "How many " + words + " failed.", labels, number(row, "failed"));
  }

  /** The age of the first row of a list, which is the oldest; 0 for an empty list. */
  private static BigDecimal oldest(Map<String, Object> report, String list) {
    List<Map<String, Object>> rows = objects(report, list);
    return rows.isEmpty() ? BigDecimal.ZERO : BigDecimal.valueOf(number(rows.getFirst(), "age_ms"), 3);
  }

  private void gauge(String name, String help, Labels labels, long value) {
    gauge(name, help, labels, BigDecimal.valueOf(value));
  }

  private void gauge(String name, String help, Labels labels, BigDecimal value) {
    out.gauge("loomshim_" + name, help, labels, value);
  }

  private void counter(String name, String help, Labels labels, long value) {
    out.counter("loomshim_" + name, help, labels, value);
  }

  private static Map<String, Object> object(Map<String, Object> object, String name) {
    return Json.object(object.get(name)).orElse(Map.of());
  }

  private static List<Map<String, Object>> objects(Map<String, Object> object, String name) {
    var rows = new ArrayList<Map<String, Object>>();
    for (Object element : Json.array(object.get(name)).orElse(List.of())) {
      rows.add(Json.object(element).orElseThrow());
    }
    return rows;
  }

  private static List<Long> numbers(Map<String, Object> object, String name) {
    var numbers = new ArrayList<Long>();
    for (Object element : Json.array(object.get(name)).orElse(List.of())) {
      numbers.add(element instanceof Number number ? number.longValue() : 0L);
    }
    return numbers;
  }

  private static String string(Map<String, Object> object, String name) {
    return String.valueOf(object.getOrDefault(name, ""));
  }

  private static long number(Map<String, Object> object, String name) {
    return object.get(name) instanceof Number number ? number.longValue() : 0;
  }
}
