package io.loomshim.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.json.Json;
import io.loomshim.testing.PrometheusText;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PrometheusTest {
  private static final String REPORT = """
      {'pid':4711,'namespace':'k8s.io','mode':'namespace','containerd':'/run/c.sock','build':'b1','release':'0.1.0',
       'java':'25','started_at':'2026-11-29T10:00:00.250Z',
       'without':[{'what':'threads','instead':'waits'}],
       'process':{'heap_used_bytes':12300000,'heap_max_bytes':100000000,'resident_bytes':61200000,'os_threads':20,
                  'fds':41,'connections':3},
       'threads':{'total':30,'of_containers':6},'containers_total':3,'statuses':{'running':2,'paused':1},
       'waits_total':2,'calls_total':2,'calls':[{'age_ms':12300},{'age_ms':5}],
       'commands_total':0,'commands':[],'file_steps_total':1,
       'events':{'queued':3,'sent':120,'retried':4,'dropped':0},
       'latencies':{'bounds_ns':[16383,1048575],
                    'calls':[{'service':'containerd.task.v2.Task','method':'State','count':1200,'failed':1,
                              'sum_ns':9007199254740993,'within':[7,1100]}],
                    'commands':[{'command':'create','count':1,'failed':0,'sum_ns':31000000,'within':[0,0]}]}}
      """;

  private static Map<String, Object> report(String json) throws Exception {
    return Json.object(Json.read(json.replace('\'', '"'))).orElseThrow();
  }

  private static BigDecimal decimal(String text) {
    return new BigDecimal(text);
  }

  @Test
  void metricsHaveTheUnitsOfPrometheusAndTheExactValues() throws Exception {
    var text = new PrometheusText(Prometheus.text(List.of(report(REPORT))));
    String one = "daemon=\"4711\",namespace=\"k8s.io\"";
    assertEquals(decimal("1"), text.value("loomshim_daemons"));
    assertEquals(decimal("1"), text.value("loomshim_up{" + one + "}"));
    assertEquals(decimal("61200000"), text.value("loomshim_resident_memory_bytes{" + one + "}"));
    assertEquals(decimal("1795946400.25"), text.value("loomshim_start_time_seconds{" + one + "}"));
    assertEquals(decimal("2"), text.value("loomshim_containers{" + one + ",status=\"running\"}"));
    assertEquals(decimal("12.300"), text.value("loomshim_oldest_call_age_seconds{" + one + "}"));
    assertEquals(decimal("0"), text.value("loomshim_oldest_command_age_seconds{" + one + "}"));
    assertEquals(decimal("120"), text.value("loomshim_events_sent_total{" + one + "}"));
    assertEquals(decimal("1"), text.value("loomshim_shortage{" + one + ",what=\"threads\"}"));
    String state = one + ",service=\"containerd.task.v2.Task\",method=\"State\"";
    assertEquals(decimal("7"), text.value("loomshim_call_duration_seconds_bucket{" + state + ",le=\"0.000016383\"}"));
    assertEquals(decimal("1200"), text.value("loomshim_call_duration_seconds_bucket{" + state + ",le=\"+Inf\"}"));
    // more than a double holds
    assertEquals(decimal("9007199.254740993"), text.value("loomshim_call_duration_seconds_sum{" + state + "}"));
    assertEquals(decimal("1"), text.value("loomshim_call_failures_total{" + state + "}"));
    assertEquals(decimal("0.031"), text.value("loomshim_command_duration_seconds_sum{" + one
        + ",command=\"create\"}"));
  }

  @Test
  void severalDaemonsOfOneNamespaceAreToldApartAndSamplesOfAMetricStandTogether() throws Exception {
    var silent = report("{'pid':8,'run':'/r','error':'timeout'}");
    var text = new PrometheusText(
        Prometheus.text(List.of(report(REPORT), report(REPORT.replace("4711", "4712")), silent)));
    assertEquals(decimal("3"), text.value("loomshim_daemons"));
    assertEquals(decimal("0"), text.value("loomshim_up{daemon=\"8\",namespace=\"\"}"));
    assertEquals(2, text.samples("loomshim_events_sent_total").size());
    assertEquals(1, text.samples("loomshim_call_duration_seconds_count", "daemon=\"4712\"").size());
  }

  @Test
  void whatNamesCannotHoldIsEscaped() throws Exception {
    var report = report(REPORT);
    report.put("mode", "a\"b\\c\nd");
    String text = Prometheus.text(List.of(report));
    assertTrue(text.contains("mode=\"a\\\"b\\\\c\\nd\""), text);
    assertEquals(1, new PrometheusText(text).samples("loomshim_daemon_info").size());
  }

  @Test
  void withoutADaemonTheTextSaysSo() {
    assertEquals(Map.of("loomshim_daemons", "gauge"), new PrometheusText(Prometheus.text(List.of())).types());
  }

  @Test
  void theDocumentHasEveryMetricWithItsTypeAndNoOther() throws Exception {
    var told = new ArrayList<String>();
    for (var metric : new PrometheusText(Prometheus.text(List.of(report(REPORT)))).types().entrySet()) {
      told.add("| `" + metric.getKey() + "` | " + metric.getValue() + " |");
    }
    var documented = Files.readAllLines(Path.of("docs/INSPECT.md")).stream()
        .filter(line -> line.startsWith("| `loomshim_")).map(line -> line.replaceAll("^(\\|[^|]*\\|[^|]*\\|).*", "$1"))
        .toList();
    assertEquals(told.stream().sorted().toList(), documented.stream().sorted().toList());
  }

  /** The reader of these tests refuses what Prometheus would refuse. */
  @Test
  void theReaderIsStrict() {
    String head = "# HELP a_total Some.\n# TYPE a_total counter\n";
    new PrometheusText(head + "a_total{b=\"c\"} 1\n");
    for (String wrong : List.of(head + "a_total 1", head + "a_total 1\na_total 1\n", head + "b_total 1\n",
        head + "a_total{b=\"c\"d\"} 1\n", head + "a_total one\n", "# TYPE a gauge\na 1\n",
        "# HELP a Some.\n# TYPE a counter\na 1\n", head + head + "a_total 1\n",
        "# HELP a_ms Some.\n# TYPE a_ms gauge\na_ms 1\n",
        "# HELP h Some.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n")) {
      assertThrows(AssertionError.class, () -> new PrometheusText(wrong), wrong);
    }
  }
}
