package io.loomshim.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.json.Json;
import io.loomshim.metrics.Units;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PageTest {
  private static Map<String, Object> report(String json) throws Exception {
    return Json.object(Json.read(json.replace('\'', '"'))).orElseThrow();
  }

  @Test
  void aPageHasAllThatAReportHas() throws Exception {
    String text = new Page(report("""
        {'pid':4711,'namespace':'k8s.io','mode':'namespace','run':'/run/loomshim/b1@k8s.io','build':'b1',
         'release':'0.1.0','java':'25','uptime_ms':11520000,'setting_mistakes':['/etc/loomshim.conf:3: mode=pods'],
         'process':{'heap_used_bytes':12300000,'heap_max_bytes':100000000,'resident_bytes':61200000,'os_threads':20,
                    'fds':41,'connections':3},
         'threads':{'total':30,'of_containers':6,'problem':''},'containers_total':3,
         'containers':[{'id':'web-1','status':'running','pid':12,'threads':4,'bundle':'/b/web-1','execs_total':2,
                        'execs':[{'id':'probe','status':'running','pid':15}]}],
         'waits_total':2,'calls_total':1,
         'calls':[{'service':'containerd.task.v3.Task','method':'Create','container':'web-2','exec':'e','connection':7,
                   'age_ms':12300,'waits_for':'runc create since 12.3 s'}],
         'commands_total':1,
         'commands':[{'command':'create','container':'web-2','age_ms':12300,'thread':'rpc/Create/web-2'}],
         'events':{'queued':3,'sent':120,'retried':4,'dropped':0,'problem':'refused','next_try_ms':3200,
                   'containers_total':1,'waiting':[{'container':'web-1','count':3,'oldest_ms':65000}]},
         'latencies':{'calls':[{'service':'containerd.task.v2.Task','method':'State','count':1200,'failed':1,
                                'p50_ns':34000,'p99_ns':1234567,'max_ns':2500000000}],
                      'commands':[{'command':'create','count':1,'failed':0,'p50_ns':1,'p99_ns':1,'max_ns':1}]}}
        """)).text();
    assertEquals("""
        daemon 4711   namespace k8s.io   mode namespace   up 3 h 12 min
        build b1   release 0.1.0   java 25
        run /run/loomshim/b1@k8s.io
        heap 12.3 MB of 100.0 MB   resident 61.2 MB   fds 41   connections 3
        threads 30, 6 of them for containers; 20 of the operating system
        setting /etc/loomshim.conf:3: mode=pods

        containers: 3
        CONTAINER           STATUS   PID  THREADS  BUNDLE
        web-1               running   12        4  /b/web-1
          exec probe        running   15
          and 1 more execs
        and 2 more

        calls in flight: 1, and 2 Waits for the end of a process
           AGE  METHOD       FOR      CONN  WAITS FOR
        12.3 s  Create (v3)  web-2/e     7  runc create since 12.3 s

        running commands: 1
           AGE  COMMAND      CONTAINER  THREAD
        12.3 s  runc create  web-2      rpc/Create/web-2

        events: 3 wait, 120 sent, 4 tries failed, 0 dropped
           OLDEST  EVENTS  CONTAINER
        1 min 5 s       3  web-1
        next try in 3.2 s; the last one failed: refused

        SINCE THE START  COUNT  FAILED     P50     P99     MAX
        State             1200       1   34 µs  1.2 ms   2.5 s
        runc create          1       0  0.0 µs  0.0 µs  0.0 µs
        """, text);
  }

  @Test
  void longNamesLoseTheirMiddleAndNothingInThemReachesTheTerminal() {
    var table = new Table("CONTAINER", "PID>", "BUNDLE");
    table.row("c".repeat(63) + "1", 12345, "/run/\u001b[31m/" + "d".repeat(120) + "/end");
    var page = new StringBuilder();
    table.appendTo(page);
    for (String line : page.toString().lines().toList()) {
      assertTrue(line.length() <= Table.PAGE_COLUMNS, line);
    }
    assertTrue(page.toString().contains("…") && page.toString().contains("/end"), page.toString());
    assertTrue(page.indexOf("\u001b") < 0);
  }

  @Test
  void anEmptyReportGivesAPageToo() throws Exception {
    assertTrue(new Page(report("{}")).text().contains("containers: "));
  }

  @Test
  void timesHaveTheUnitThatSuits() {
    assertEquals("0 ms 999 ms 1.0 s 59.9 s 1 min 0 s 59 min 59 s 1 h 0 min 23 h 59 min 1 d 0 h",
        String.join(" ", Units.age(0), Units.age(999), Units.age(1000), Units.age(59_900), Units.age(60_000),
            Units.age(3_599_000), Units.age(3_600_000), Units.age(86_399_000), Units.age(86_400_000)));
    assertEquals("1.5 µs 34 µs 999 µs 1.2 ms 12 ms 2.5 s", String.join(" ", Units.latency(1500),
        Units.latency(34_567), Units.latency(999_999), Units.latency(1_234_567), Units.latency(12_345_678),
        Units.latency(2_500_000_000L)));
  }
}
