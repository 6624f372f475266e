package io.loomshim.cli;

import com.google.protobuf.Timestamp;
import io.loomshim.inspect.Report;
import io.loomshim.json.Json;
import io.loomshim.proto.record.ProcessEntry;
import io.loomshim.proto.record.ProcessState;
import io.loomshim.record.RecordFile;
import io.loomshim.record.Saved;
import io.loomshim.record.UnreadableException;
import io.loomshim.rundir.DaemonRecord;
import io.loomshim.rundir.DeadDirectories;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What killed daemons had, from their records: {@code inspect --ended}. A daemon that ends in order leaves no record.
 * Stateless.
 */
final class Ended {
  /** The argument that asks for it. */
  static final String OPTION = "--ended";
  private static final int NONE = 1;

  private Ended() {}

  /**
   * Prints what the records below {@code directory} have, the latest first.
   *
   * @return the exit status: 1 when there is none, or one cannot be read
   */
  static int print(Path directory, boolean json, PrintStream out) throws IOException {
    var documents = new ArrayList<Map<String, Object>>();
    boolean failed = false;
    for (Path file : DeadDirectories.records(directory)) {
      try {
        Saved saved = Saved.of(file.toString(), RecordFile.read(file).state());
        if (!lives(saved)) {
          documents.add(report(file, saved));
        }
      } catch (IOException e) {
        failed = true;
        documents.add(Report.row("record", file.toString(), "error", String.valueOf(e.getMessage())));
      }
    }
    if (json) {
      out.println(Json.write(Report.row("format", Main.FORMAT, "ended", documents)));
    } else {
      print(documents, out);
    }
    if (documents.isEmpty()) {
      System.err.println("no daemon was killed that has left a record in " + directory);
    }
    return failed || documents.isEmpty() ? NONE : 0;
  }

  /** Returns {@code status} of an {@code inspect}; when that has found nothing, says that there are records. */
  static int withHint(int status, Path directory) throws IOException {
    if (status == NONE && hasRecord(directory)) {
      System.err.println("inspect " + OPTION + " says what daemons had that were killed");
    }
    return status;
  }

  private static boolean hasRecord(Path directory) throws IOException {
    for (Path file : DeadDirectories.records(directory)) {
      try {
        if (!lives(Saved.of(file.toString(), RecordFile.read(file).state()))) {
          return true;
        }
      } catch (UnreadableException e) {
        return true;
      }
    }
    return false;
  }

  private static boolean lives(Saved saved) {
    return new DaemonRecord(saved.daemon().getPid(), saved.daemon().getStartTime(), Path.of("")).lives();
  }

  private static Map<String, Object> report(Path file, Saved saved) throws IOException {
    var containers = new ArrayList<Object>();
    for (Saved.Container container : saved.containers()) {
      var execs = new ArrayList<Object>();
      for (Saved.Exec exec : container.execs()) {
        ProcessEntry process = exec.process().orElse(ProcessEntry.getDefaultInstance());
        execs.add(process(exec.id(), exec.process().isEmpty() ? "created" : word(process, false), process));
      }
      ProcessEntry init = container.init().orElse(ProcessEntry.getDefaultInstance());
      Map<String, Object> row = process(container.id(),
          container.init().isEmpty() ? "creating" : word(init, container.paused()), init);
      row.put("bundle", container.asked().getBundle());
      row.put("execs", execs);
      containers.add(row);
    }
    var daemon = saved.daemon();
    return Report.row("record", file.toString(), "pid", daemon.getPid(), "namespace", daemon.getNamespace(), "mode",
        daemon.getMode(), "containerd", daemon.getContainerd(), "build", daemon.getBuild(), "started_at",
        instant(daemon.getStartedAt()), "last_entry_at", second(Files.getLastModifiedTime(file).toInstant()),
        "complete", !file.toString().endsWith(RecordFile.BEHIND), "events_queued", saved.events().size(), "containers",
        containers);
  }

  private static Map<String, Object> process(String id, String status, ProcessEntry process) {
    Map<String, Object> row = Report.row("id", id, "status", status, "pid", process.getPid());
    if (process.getState() == ProcessState.PROCESS_STOPPED) {
      row.put("exit_status", process.getExitStatus());
      row.put("exited_at", instant(process.getSince()));
    }
    return row;
  }

  private static String word(ProcessEntry process, boolean paused) {
    return switch (process.getState()) {
      case PROCESS_RUNNING -> paused ? "paused" : "running";
      case PROCESS_STOPPED -> "stopped";
      default -> "created";
    };
  }

  private static String instant(Timestamp time) {
    return second(Instant.ofEpochSecond(time.getSeconds()));
  }

  private static String second(Instant time) {
    return time.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private static void print(List<Map<String, Object>> documents, PrintStream out) {
    for (Map<String, Object> document : documents) {
      out.print(document == documents.getFirst() ? "" : "\n");
      out.print(page(document));
    }
  }

  /** The same for people. */
  static String page(Map<String, Object> document) {
    if (document.containsKey("error")) {
      return Table.plain(String.valueOf(document.get("error"))) + "\n";
    }
    var page = new StringBuilder(1024);
    page.append("daemon ").append(document.get("pid")).append("   namespace ").append(document.get("namespace"))
        .append("   mode ").append(document.get("mode")).append("   killed after ")
        .append(document.get("last_entry_at")).append('\n');
    page.append("build ").append(document.get("build")).append("   started ").append(document.get("started_at"))
        .append('\n');
    page.append("record ").append(document.get("record")).append('\n');
    if (Boolean.FALSE.equals(document.get("complete"))) {
      page.append("the record lacks what there was no room for\n");
    }
    var table = new Table("CONTAINER", "STATUS", "PID>", "EXIT>", "BUNDLE");
    List<?> containers = (List<?>) document.get("containers");
    for (Object element : containers) {
      Map<String, Object> row = Json.object(element).orElseThrow();
      table.row(row.get("id"), row.get("status"), row.get("pid"), row.getOrDefault("exit_status", ""),
          row.get("bundle"));
      for (Object exec : (List<?>) row.get("execs")) {
        Map<String, Object> process = Json.object(exec).orElseThrow();
        table.row("  exec " + process.get("id"), process.get("status"), process.get("pid"),
            process.getOrDefault("exit_status", ""), "");
      }
    }
    page.append("\ncontainers: ").append(containers.size()).append('\n');
    if (!containers.isEmpty()) {
      table.appendTo(page);
    }
    page.append("events that containerd had not taken: ").append(document.get("events_queued")).append('\n');
    return page.toString();
  }
}
