package io.loomshim.cli;

import io.loomshim.inspect.Report;
import io.loomshim.json.Json;
import io.loomshim.metrics.Units;
import java.util.List;
import java.util.Map;

/** Lays out the answer of one daemon as a status page for people. Immutable; used by one thread. */
record Page(Map<String, Object> report) {
  private static final String VERSION_3 = ".v3.";

  String text() {
    var page = new StringBuilder(4096);
    head(page);
    containers(page);
    calls(page);
    commands(page);
    steps(page);
    events(page);
    latencies(page);
    return page.toString();
  }

  private void head(StringBuilder page) {
    var process = Json.object(report.get("process")).orElse(Map.of());
    var threads = Json.object(report.get("threads")).orElse(Map.of());
    line(page, "daemon " + text(report, "pid") + "   namespace " + text(report, "namespace") + "   mode "
        + text(report, "mode") + "   up " + Units.age(number(report, "uptime_ms")));
    line(page, "build " + text(report, "build") + "   release " + text(report, "release") + "   java "
        + text(report, "java"));
    line(page, "run " + text(report, "run"));
    line(page, "heap " + Units.bytes(number(process, "heap_used_bytes")) + " of "
        + Units.bytes(number(process, "heap_max_bytes")) + "   resident "
        + Units.bytes(number(process, "resident_bytes")) + "   fds " + text(process, "fds") + "   connections "
        + text(process, "connections"));
    String problem = text(threads, "problem");
    line(page, problem.isEmpty()
        ? "threads " + text(threads, "total") + ", " + text(threads, "of_containers") + " of them for containers; "
            + text(process, "os_threads") + " of the operating system"
        : "threads not counted: " + problem);
    for (Object mistake : list(report, "setting_mistakes")) {
      page.append(Table.plain("setting " + mistake)).append('\n'); // whole: it says what to do
    }
    for (Object element : list(report, "without")) {
      var row = Json.object(element).orElseThrow();
      line(page, "no " + text(row, "what") + ": " + text(row, "instead"));
    }
  }

  private void containers(StringBuilder page) {
    var table = new Table("CONTAINER", "STATUS", "PID>", "THREADS>", "BUNDLE");
    List<Object> containers = list(report, "containers");
    for (Object element : containers) {
      var row = Json.object(element).orElseThrow();
      table.row(text(row, "id"), text(row, "status"), text(row, "pid"), text(row, "threads"), text(row, "bundle"));
      List<Object> execs = list(row, "execs");
      for (Object exec : execs) {
        var process = Json.object(exec).orElseThrow();
        table.row("  exec " + text(process, "id"), text(process, "status"), text(process, "pid"), "", "");
      }
      long more = number(row, "execs_total") - execs.size();
      if (more > 0) {
        table.row("  and " + more + " more execs", "", "", "", "");
      }
    }
    section(page, table, "containers: " + text(report, "containers_total"),
        number(report, "containers_total") - containers.size());
  }

  private void calls(StringBuilder page) {
    var table = new Table("AGE>", "METHOD", "FOR", "CONN>", "WAITS FOR");
    List<Object> calls = list(report, "calls");
    for (Object element : calls) {
      var row = Json.object(element).orElseThrow();
      String exec = text(row, "exec");
      table.row(Units.age(number(row, "age_ms")), method(row), text(row, "container")
          + (exec.isEmpty() ? "" : "/" + exec), text(row, "connection"), text(row, "waits_for"));
    }
    section(page, table, "calls in flight: " + text(report, "calls_total") + ", and " + text(report, "waits_total")
        + " Waits for the end of a process", number(report, "calls_total") - calls.size());
  }

  private void commands(StringBuilder page) {
    var table = new Table("AGE>", "COMMAND", "CONTAINER", "THREAD");
    List<Object> commands = list(report, "commands");
    for (Object element : commands) {
      var row = Json.object(element).orElseThrow();
      table.row(Units.age(number(row, "age_ms")), "runc " + text(row, "command"), text(row, "container"),
          text(row, "thread"));
    }
    section(page, table, "running commands: " + text(report, "commands_total"),
        number(report, "commands_total") - commands.size());
  }

  /** Adds a section only when there are steps; on a healthy machine they end at once. */
  private void steps(StringBuilder page) {
    var table = new Table("AGE>", "STEP", "THREAD", "CALL");
    List<Object> steps = list(report, "file_steps");
    for (Object element : steps) {
      var row = Json.object(element).orElseThrow();
      table.row(Units.age(number(row, "age_ms")), text(row, "step"), text(row, "thread"),
          text(row, "abandoned").equals("true") ? "has ended" : "waits");
    }
    if (!table.isEmpty()) {
      section(page, table, "steps that wait for a file system: " + text(report, "file_steps_total"),
          number(report, "file_steps_total") - steps.size());
    }
  }

  private void events(StringBuilder page) {
    var events = Json.object(report.get("events")).orElse(Map.of());
    var table = new Table("OLDEST>", "EVENTS>", "CONTAINER");
    List<Object> waiting = list(events, "waiting");
    for (Object element : waiting) {
      var row = Json.object(element).orElseThrow();
      table.row(Units.age(number(row, "oldest_ms")), text(row, "count"), text(row, "container"));
    }
    section(page, table, "events: " + text(events, "queued") + " wait, " + text(events, "sent") + " sent, "
        + text(events, "retried") + " tries failed, " + text(events, "dropped") + " dropped",
        number(events, "containers_total") - waiting.size());
    String problem = text(events, "problem");
    if (!problem.isEmpty()) {
      line(page, "next try in " + Units.age(number(events, "next_try_ms")) + "; the last one failed: " + problem);
    }
  }

  private void latencies(StringBuilder page) {
    var latencies = Json.object(report.get("latencies")).orElse(Map.of());
    var table = new Table("SINCE THE START", "COUNT>", "FAILED>", "P50>", "P99>", "MAX>");
    for (Object element : list(latencies, "calls")) {
      var row = Json.object(element).orElseThrow();
      latency(table, method(row), row);
    }
    for (Object element : list(latencies, "commands")) {
      var row = Json.object(element).orElseThrow();
      latency(table, "runc " + text(row, "command"), row);
    }
    if (!table.isEmpty()) {
      page.append('\n');
      table.appendTo(page);
    }
  }

  private static void latency(Table table, String name, Map<String, Object> row) {
    table.row(name, text(row, "count"), text(row, "failed"), Units.latency(number(row, "p50_ns")),
        Units.latency(number(row, "p99_ns")), Units.latency(number(row, "max_ns")));
  }

  private static void section(StringBuilder page, Table table, String title, long more) {
    page.append('\n');
    line(page, title);
    if (!table.isEmpty()) {
      table.appendTo(page);
    }
    if (more > 0) {
      line(page, "and " + more + " more");
    }
  }

  private static void line(StringBuilder page, String text) {
    page.append(Table.cut(Table.plain(text), Table.PAGE_COLUMNS)).append('\n');
  }

  private static String method(Map<String, Object> row) {
    return text(row, "method") + (text(row, "service").contains(VERSION_3) ? " (v3)" : "");
  }

  private static List<Object> list(Map<String, Object> object, String name) {
    return Json.array(object.get(name)).orElse(List.of());
  }

  private static String text(Map<String, Object> object, String name) {
    return String.valueOf(object.getOrDefault(name, ""));
  }

  private static long number(Map<String, Object> object, String name) {
    return object.get(name) instanceof Number number ? number.longValue() : 0;
  }
}
