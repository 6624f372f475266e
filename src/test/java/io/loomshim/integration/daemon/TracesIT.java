package io.loomshim.integration.daemon;

import static io.loomshim.integration.harness.Inspect.list;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Inspect;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StateResponse;
import io.loomshim.ttrpc.Client;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Spans of OpenTelemetry out of the recording of a daemon, below those of containerd where that traces. */
final class TracesIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  @BeforeAll
  static void load() {
    // JFR keeps a descriptor in a daemon that it has once recorded
    if (Shim.tested().ours()) {
      Install.get().daemons().forEach(daemon -> Flights.start(daemon.pid(), BED.directory()).stop());
    }
  }

  @BeforeEach
  void needsOurShim() {
    Shim.assumeOurs("the Go shims record nothing");
  }

  private static List<Map<String, Object>> spans(Path recording) {
    var spans = new ArrayList<Map<String, Object>>();
    for (String line : Inspect.run("--traces", recording.toString()).ok().text().lines().toList()) {
      for (var resource : list(Inspect.object(line), "resourceSpans")) {
        list(resource, "scopeSpans").forEach(scope -> spans.addAll(list(scope, "spans")));
      }
    }
    return spans;
  }

  /** The one span of that name about {@code container}. */
  private static Map<String, Object> the(List<Map<String, Object>> spans, String name, String container) {
    var found = spans.stream().filter(span -> span.get("name").equals(name) && span.get("attributes").toString()
        .contains("{key=container.id, value={stringValue=" + container + "}}")).toList();
    assertEquals(1, found.size(), () -> name + " " + container + " in " + spans);
    return found.getFirst();
  }

  private static String place(Map<String, Object> span) {
    return span.get("traceId") + " " + span.get("parentSpanId");
  }

  @Test
  void theCallsOfAClientThatTracesAreBelowItsSpansAndHaveTheirCommandsBelowThem() throws Exception {
    try (var task = BED.shims().start(Shim.tested(), BED.shims().bundle(Names.id("tr"), "sh", "-c", "exit 7"))) {
      int daemon = Install.get().daemons().stream().filter(one -> task.socket().startsWith(one.directory()))
          .mapToInt(one -> (int) one.pid()).findFirst().orElseThrow();
      var flight = Flights.start(daemon, BED.directory());
      task.create();
      task.start();
      task.await("");
      String trace = "4bf92f3577b34da6a3ce929d0e0e4736";
      try (var client = Client.connect(task.socket(), Ctr.LIMIT)) {
        client.call(task.service(), "State", StateRequest.newBuilder().setId(task.id()).build(),
            StateResponse.parser(), Ctr.LIMIT, Map.of("traceparent", "00-" + trace + "-00f067aa0ba902b7-01"));
      }
      var spans = spans(flight.file());
      assertEquals(trace + " 00f067aa0ba902b7", place(the(spans, "State", task.id())));
      var create = the(spans, "Create", task.id());
      assertEquals("null", String.valueOf(create.get("parentSpanId")));
      assertEquals(create.get("traceId") + " " + create.get("spanId"), place(the(spans, "runc create", task.id())));
      var start = the(spans, "Start", task.id());
      var process = the(spans, "process init", task.id());
      assertEquals(start.get("traceId") + " " + start.get("spanId"), place(process));
      assertTrue(process.get("attributes").toString().contains("{key=process.exit.code, value={intValue=7}}"),
          process::toString);
      flight.stop();
      task.end();
    }
  }

  @Test
  void theSpansOfADaemonAreBelowThoseThatContainerdExports() throws Exception {
    assumeTrue(Containerd.version()[0] >= 2, "needs containerd 2, which rows of integration/matrix.tsv have");
    var exported = new ByteArrayOutputStream();
    HttpServer collector = collector(exported);
    try {
      BED.containerd().stop();
      BED.containerd().restart(":", Map.of("OTEL_EXPORTER_OTLP_ENDPOINT",
          "http://127.0.0.1:" + collector.getAddress().getPort(), "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf",
          "OTEL_BSP_SCHEDULE_DELAY", "100"));
      var flights = new ArrayList<Flights>();
      for (var daemon : Install.get().daemons()) {
        flights.add(Flights.start(daemon.pid(), BED.directory()));
      }
      String id = Names.id("tr");
      BED.ctr().run(Shim.tested(), id, "true").ok();
      var spans = new ArrayList<Map<String, Object>>();
      for (Flights flight : flights) {
        spans.addAll(spans(flight.file()));
        flight.stop();
      }
      for (String method : List.of("Create", "Start", "Delete")) {
        var call = the(spans, method, id);
        Await.until("containerd has exported the span around " + method, () -> has(exported, call.get("traceId"))
            && has(exported, call.get("parentSpanId")));
      }
      BED.containerd().stop();
      BED.containerd().restart(":", Map.of());
    } finally {
      collector.stop(0);
    }
  }

  /** Takes what OpenTelemetry's exporters send (OTLP over HTTP), as it is. */
  private static HttpServer collector(ByteArrayOutputStream exported) throws IOException {
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/v1/traces", exchange -> {
      exported.writeBytes(exchange.getRequestBody().readAllBytes());
      exchange.getResponseHeaders().add("Content-Type", "application/x-protobuf");
      exchange.sendResponseHeaders(200, -1);
      exchange.close();
    });
    server.start();
    return server;
  }

  private static boolean has(ByteArrayOutputStream exported, Object id) {
    return HexFormat.of().formatHex(exported.toByteArray()).contains(id.toString());
  }
}
