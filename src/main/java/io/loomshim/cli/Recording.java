package io.loomshim.cli;

import io.loomshim.cli.TraceSpan.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/**
 * The events of loomshim in a recording of JFR, as spans: each call below the span of its caller, each command of the
 * runtime below the call that ran it, and each process below the call that started it. A call runs in one thread, so
 * what that thread did meanwhile belongs to it. Used by one thread.
 */
final class Recording {
  private static final String RPC = "io.loomshim.Rpc";
  private static final String RUNC = "io.loomshim.Runc";
  private static final String STARTED = "io.loomshim.ProcessStart";
  private static final String ENDED = "io.loomshim.ProcessExit";
  private static final String JVM = "jdk.JVMInformation";

  /** How each begins. */
  private static final byte[] MAGIC = {'F', 'L', 'R', 0};

  private final List<TraceSpan> spans = new ArrayList<>();
  private final Map<Long, TreeMap<Instant, TraceSpan>> calls = new HashMap<>(); // of each thread, by their beginnings
  private final List<RecordedEvent> commands = new ArrayList<>();
  private final Map<String, RecordedEvent> processes = new HashMap<>();
  private final List<RecordedEvent> exits = new ArrayList<>();
  private long pid;
  private String namespace = "";

  private Recording() {}

  /**
   * Reads a file.
   *
   * @throws IOException when it is no recording
   */
  static Recording read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
        throw new IOException("it does not begin like one"); // the JDK finds that out, too, but leaves the file open
      }
    }
    var recording = new Recording();
    try (var events = new RecordingFile(file)) {
      while (events.hasMoreEvents()) {
        recording.add(events.readEvent());
      }
    }
    recording.connect();
    return recording;
  }

  /** The process that was recorded; 0 if the recording does not tell. */
  long pid() {
    return pid;
  }

  /** The containerd namespace that it served; empty if the recording does not tell. */
  String namespace() {
    return namespace;
  }

  /** The spans in the order of their beginnings. */
  List<TraceSpan> spans() {
    return spans;
  }

  private void add(RecordedEvent event) {
    String type = event.getEventType().getName();
    if (type.equals(RPC)) {
      var call = span(Kind.SERVER, text(event, "method"), event).with("rpc.system", "ttrpc")
          .with("rpc.method", text(event, "method")).with("rpc.ttrpc.status", text(event, "code"))
          .below(text(event, "traceparent"));
      spans.add(text(event, "code").equals("OK") ? call : call.failed(text(event, "code")));
      calls.computeIfAbsent(thread(event), key -> new TreeMap<>()).put(call.start(), call);
    } else if (type.equals(RUNC)) {
      commands.add(event);
    } else if (type.equals(STARTED)) {
      processes.put(process(event), event);
    } else if (type.equals(ENDED)) {
      exits.add(event);
    } else if (type.equals(JVM)) {
      pid = event.getLong("pid");
      String[] words = text(event, "javaArguments").split(" ");
      for (int i = 0; i + 1 < words.length; i++) {
        namespace = words[i].equals("-namespace") ? words[i + 1] : namespace;
      }
    }
  }

  private void connect() {
    for (RecordedEvent event : commands) {
      String status = text(event, "status");
      var command = span(Kind.INTERNAL, "runc " + text(event, "command"), event)
          .with("loomshim.command.status", status);
      place(status.equals("0") ? command : command.failed(status), event);
    }
    for (RecordedEvent exit : exits) {
      RecordedEvent start = processes.get(process(exit));
      if (start != null) {
        var process = new TraceSpan(Kind.INTERNAL, "process " + text(exit, "kind"), start.getStartTime(),
            exit.getStartTime(), process(exit));
        about(process, exit).with("process.pid", exit.getInt("pid")).with("process.exit.code", exit.getInt("status"));
        place(process, start);
      }
    }
    spans.sort(Comparator.comparing(TraceSpan::start));
  }

  /** Puts {@code span} below the call in whose thread {@code event} happened, if that was during a call. */
  private void place(TraceSpan span, RecordedEvent event) {
    Map.Entry<Instant, TraceSpan> call =
        calls.getOrDefault(thread(event), new TreeMap<>()).floorEntry(event.getStartTime());
    if (call != null && !call.getValue().end().isBefore(event.getEndTime())) {
      span.below(call.getValue());
    }
    spans.add(span);
  }

  private static TraceSpan span(Kind kind, String name, RecordedEvent event) {
    return about(new TraceSpan(kind, name, event.getStartTime(), event.getEndTime(),
        thread(event) + "|" + text(event, "container")), event);
  }

  private static TraceSpan about(TraceSpan span, RecordedEvent event) {
    return span.with("container.id", text(event, "container")).with("containerd.exec_id", text(event, "exec"));
  }

  private static String process(RecordedEvent event) {
    return text(event, "container") + "/" + text(event, "exec") + "/" + event.getInt("pid");
  }

  /** The value of a field; empty if the event has none, as events of earlier versions and of runc have. */
  private static String text(RecordedEvent event, String field) {
    String value = event.hasField(field) ? event.getString(field) : null;
    return value == null ? "" : value;
  }

  private static long thread(RecordedEvent event) {
    return event.getThread() == null ? 0 : event.getThread().getJavaThreadId();
  }
}
