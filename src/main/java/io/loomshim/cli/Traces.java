package io.loomshim.cli;

import io.loomshim.inspect.Report;
import io.loomshim.json.Json;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The spans in a recording of JFR, as OpenTelemetry writes traces into files: {@code inspect --traces FILE}. One JSON
 * object a line (https://opentelemetry.io/docs/specs/otel/protocol/file-exporter), which a collector's receiver for
 * files takes as it is, and each line is a request of OTLP over HTTP too. Stateless.
 */
final class Traces {
  /** The argument that asks for it. */
  static final String OPTION = "--traces";

  private static final int NONE = 1;
  /** Spans in a line; a collector takes lines of 1 MiB by default. */
  private static final int SPANS_MAX = 500;

  private Traces() {}

  /**
   * Prints the spans of {@code file}.
   *
   * @return the exit status: 1 when the file cannot be read or has none
   */
  static int print(Path file, PrintStream out) {
    Recording recording;
    try {
      recording = Recording.read(file);
    } catch (IOException e) {
      System.err.println("cannot read " + file + " as a recording of JFR: " + e);
      return NONE;
    } catch (NoClassDefFoundError e) {
      System.err.println("this Java has no module jdk.jfr to read " + file + " with");
      return NONE;
    }
    List<TraceSpan> spans = recording.spans();
    if (spans.isEmpty()) {
      System.err.println(file + " has no event of loomshim: it must be recorded in a daemon (see docs/INSPECT.md)");
      return NONE;
    }
    for (int i = 0; i < spans.size(); i += SPANS_MAX) {
      out.println(Json.write(request(recording, spans.subList(i, Math.min(spans.size(), i + SPANS_MAX)))));
    }
    return 0;
  }

  private static Map<String, Object> request(Recording recording, List<TraceSpan> spans) {
    var written = new ArrayList<Object>();
    for (TraceSpan span : spans) {
      written.add(span.json());
    }
    var attributes = new ArrayList<Object>();
    attributes.add(TraceSpan.attribute("service.name", "containerd-shim-loom-v1"));
    attributes.add(TraceSpan.attribute("process.pid", recording.pid()));
    if (!recording.namespace().isEmpty()) {
      attributes.add(TraceSpan.attribute("containerd.namespace", recording.namespace()));
    }
    Map<String, Object> scope = Report.row("scope", Report.row("name", "io.loomshim"), "spans", written);
    return Report.row("resourceSpans", List.of(
        Report.row("resource", Report.row("attributes", attributes), "scopeSpans", List.of(scope))));
  }
}
