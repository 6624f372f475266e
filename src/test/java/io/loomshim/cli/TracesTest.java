package io.loomshim.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.util.JsonFormat;
import io.loomshim.json.Json;
import io.loomshim.metrics.Flight;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status.StatusCode;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Spans out of recordings that this JVM makes of itself, with the daemon's own events. */
class TracesTest {
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String CALLER = "00f067aa0ba902b7";

  @TempDir Path directory;
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  private Path recorded(Runnable body) throws Exception {
    Path file = directory.resolve("flight.jfr");
    try (var recording = new Recording()) {
      recording.enable("jdk.JVMInformation");
      recording.start();
      body.run();
      recording.stop();
      recording.dump(file);
    }
    return file;
  }

  private static void call(String method, String traceparent, String code, Runnable body) {
    var span = Flight.rpc();
    body.run();
    if (!traceparent.isEmpty()) {
      span.within(traceparent);
    }
    span.end(method, "web", "probe", code);
  }

  private static void command(String name, String status) {
    Flight.runc().end(name, "web", "", status);
  }

  private List<Map<String, Object>> resources(Path file) throws Exception {
    printed.reset();
    try (var out = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      assertEquals(0, Traces.print(file, out));
    }
    var resources = new ArrayList<Map<String, Object>>();
    for (String line : printed.toString(StandardCharsets.UTF_8).lines().toList()) {
      var list = Json.array(Json.object(Json.read(line)).orElseThrow().get("resourceSpans")).orElseThrow();
      assertEquals(1, list.size());
      resources.add(Json.object(list.getFirst()).orElseThrow());
    }
    return resources;
  }

  private Map<String, Map<String, Object>> spans(Path file) throws Exception {
    var spans = new LinkedHashMap<String, Map<String, Object>>();
    for (var resource : resources(file)) {
      var scope = Json.object(Json.array(resource.get("scopeSpans")).orElseThrow().getFirst()).orElseThrow();
      for (Object span : Json.array(scope.get("spans")).orElseThrow()) {
        var read = Json.object(span).orElseThrow();
        spans.put(read.get("name").toString(), read);
      }
    }
    return spans;
  }

  private static Map<String, String> attributes(Map<String, Object> owner) {
    var attributes = new LinkedHashMap<String, String>();
    for (Object element : Json.array(owner.get("attributes")).orElseThrow()) {
      var attribute = Json.object(element).orElseThrow();
      var value = Json.object(attribute.get("value")).orElseThrow();
      assertEquals(1, value.size());
      attributes.put(attribute.get("key").toString(), value.toString());
    }
    return attributes;
  }

  @Test
  void aCallIsBelowItsCallerAndWhatItsThreadDidIsBelowTheCall() throws Exception {
    var spans = spans(recorded(() -> {
      call("Exec", "00-" + TRACE + "-" + CALLER + "-01", "OK", () -> {
        command("exec", "0");
        Flight.processStarted("web", "probe", 12);
      });
      command("kill", "1");
      Flight.processEnded("web", "probe", 12, 3);
    }));
    assertEquals(List.of("Exec", "runc exec", "process exec", "runc kill"), List.copyOf(spans.keySet()));
    var call = spans.get("Exec");
    assertEquals(TRACE + " " + CALLER, call.get("traceId") + " " + call.get("parentSpanId"));
    assertEquals("2", call.get("kind").toString());
    assertEquals(Map.of("rpc.system", "{stringValue=ttrpc}", "rpc.method", "{stringValue=Exec}",
        "rpc.ttrpc.status", "{stringValue=OK}", "container.id", "{stringValue=web}",
        "containerd.exec_id", "{stringValue=probe}"), attributes(call));
    assertFalse(call.containsKey("status"));
    for (String child : List.of("runc exec", "process exec")) {
      assertEquals(TRACE + " " + call.get("spanId"),
          spans.get(child).get("traceId") + " " + spans.get(child).get("parentSpanId"), child);
    }
    assertEquals("{intValue=3}", attributes(spans.get("process exec")).get("process.exit.code"));
    var command = spans.get("runc kill");
    assertFalse(command.containsKey("parentSpanId"), command::toString);
    assertTrue(command.get("traceId").toString().matches("[0-9a-f]{32}"), command::toString);
    assertTrue(command.get("status").toString().contains("code=2") && command.get("status").toString().contains("=1"));
    long start = Long.parseLong(call.get("startTimeUnixNano").toString());
    long end = Long.parseLong(call.get("endTimeUnixNano").toString());
    assertTrue(start <= end && Math.abs(System.currentTimeMillis() - start / 1_000_000) < 600_000, call::toString);
  }

  /** The text of an id: OTLP writes ids in hexadecimal, where protobuf's mapping to JSON has base 64. */
  private static String id(ByteString bytes) {
    return Base64.getEncoder().encodeToString(bytes.toByteArray());
  }

  /** The parser refuses a name that OTLP does not have and a value of another type. */
  @Test
  void thePublishedMessagesOfOtlpReadEveryLine() throws Exception {
    Path file = recorded(() -> {
      call("Exec", "00-" + TRACE + "-" + CALLER + "-01", "OK", () -> Flight.processStarted("web", "probe", 12));
      Flight.processEnded("web", "probe", 12, 137);
      call("Delete", "", "NOT_FOUND", () -> command("delete", "1"));
    });
    resources(file);
    var request = ExportTraceServiceRequest.newBuilder();
    for (String line : printed.toString(StandardCharsets.UTF_8).lines().toList()) {
      JsonFormat.parser().merge(line, request);
    }
    assertEquals(1, request.getResourceSpansCount());
    var spans = request.getResourceSpans(0).getScopeSpans(0).getSpansList().stream()
        .collect(Collectors.toMap(Span::getName, Function.identity()));
    assertEquals(List.of("Delete", "Exec", "process exec", "runc delete"), spans.keySet().stream().sorted().toList());
    Span exec = spans.get("Exec");
    assertEquals(TRACE + " " + CALLER, id(exec.getTraceId()) + " " + id(exec.getParentSpanId()));
    assertEquals(Span.SpanKind.SPAN_KIND_SERVER, exec.getKind());
    Span process = spans.get("process exec");
    assertEquals(id(exec.getSpanId()), id(process.getParentSpanId()));
    assertEquals(Span.SpanKind.SPAN_KIND_INTERNAL, process.getKind());
    assertTrue(process.getAttributesList().stream().anyMatch(attribute ->
        attribute.getKey().equals("process.exit.code") && attribute.getValue().getIntValue() == 137));
    assertEquals(StatusCode.STATUS_CODE_ERROR, spans.get("Delete").getStatus().getCode());
    for (Span span : spans.values()) {
      assertTrue(id(span.getTraceId()).matches("[0-9a-f]{32}") && id(span.getSpanId()).matches("[0-9a-f]{16}"));
      assertTrue(0 < span.getStartTimeUnixNano() && span.getStartTimeUnixNano() <= span.getEndTimeUnixNano());
    }
  }

  @Test
  void anotherThreadsCommandIsNotBelowTheCall() throws Exception {
    var spans = spans(recorded(() -> call("Create", "", "NOT_FOUND", () -> {
      try {
        Thread.ofVirtual().start(() -> command("create", "0")).join();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    })));
    assertFalse(spans.get("runc create").containsKey("parentSpanId"));
    assertFalse(spans.get("Create").containsKey("parentSpanId"));
    assertTrue(spans.get("Create").get("status").toString().contains("NOT_FOUND"));
  }

  @Test
  void aTraceparentThatIsNoneIsNotTaken() throws Exception {
    for (String text : List.of("x", "00-" + TRACE + "-" + CALLER, "ff-" + TRACE + "-" + CALLER + "-01",
        "00-" + "0".repeat(32) + "-" + CALLER + "-01", "00-" + TRACE + "-" + "0".repeat(16) + "-01",
        "00-" + TRACE.toUpperCase(Locale.ROOT) + "-" + CALLER + "-01", "00-" + TRACE + "0-" + CALLER + "-01")) {
      var span = spans(recorded(() -> call("State", text, "OK", () -> { }))).get("State");
      assertFalse(span.containsKey("parentSpanId"), text);
    }
  }

  @Test
  void theSameRecordingGivesTheSameSpansAndNamesItsProcess() throws Exception {
    Path file = recorded(() -> call("Start", "", "OK", () -> command("start", "0")));
    var first = spans(file);
    assertEquals(first, spans(file));
    var resource = attributes(Json.object(resources(file).getFirst().get("resource")).orElseThrow());
    assertEquals("{stringValue=containerd-shim-loom-v1}", resource.get("service.name"));
    assertEquals("{intValue=" + ProcessHandle.current().pid() + "}", resource.get("process.pid"));
  }

  @Test
  void aLongRecordingIsManyLines() throws Exception {
    Path file = recorded(() -> {
      for (int i = 0; i < 1001; i++) {
        call("State" + i, "", "OK", () -> { });
      }
    });
    assertEquals(3, resources(file).size());
    var spans = spans(file);
    assertEquals(1001, spans.size());
    assertEquals(1001, spans.values().stream().map(span -> span.get("spanId")).distinct().count());
  }

  @Test
  void whatIsNoRecordingOrHasNoSpansIsRefused() throws Exception {
    try (var out = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      assertEquals(1, Traces.print(directory.resolve("none"), out));
      assertEquals(1, Traces.print(Files.writeString(directory.resolve("text"), "no recording"), out));
      assertEquals(1, Traces.print(recorded(() -> { }), out));
    }
    assertEquals("", printed.toString(StandardCharsets.UTF_8));
  }
}
