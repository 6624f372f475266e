package io.loomshim.integration.containerd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Execs;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What happens while containerd takes no events is told once it does again: all of it, once, in order. */
@Timeout(600)
final class OutageIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final boolean LONG = Boolean.getBoolean("loomshim.long");
  /** {@code -Dloomshim.long=true} makes it the full count, and the outage a minute at least. */
  private static final int EXECS = LONG ? 1000 : 100;
  private static final Duration OUTAGE_MIN = LONG ? Duration.ofSeconds(60) : Duration.ofSeconds(2);
  private static final int STATUSES = 200;

  @ParameterizedTest(name = "events of an outage in which containerd {0} arrive afterwards, all, once and in order")
  @EnumSource
  void whatHappensInAnOutageIsToldAfterwards(Outage.Kind kind) {
    Shim.assumeOurs("the Go shim drops what it cannot tell within seconds");
    var sink = BED.shims().sink();
    String namespace = BED.shims().namespace();
    try (var task = BED.shims().start(Shim.tested(), BED.shims().bundle(Names.id("outage"), "sleep", "1000"))) {
      task.create();
      task.start();
      sink.until(namespace, task.id(), "/tasks/start"); // nothing is under way when containerd goes
      int told = sink.envelopes().size();
      sink.close();
      Instant begin = Instant.now();
      var execs = new Execs(task, EXECS);
      try (var outage = Outage.begin(kind, sink.socket())) {
        assertTrue(outage != null);
        execs.start(i -> "exit " + i % STATUSES);
        for (int i = 0; i < EXECS; i++) {
          assertEquals(i % STATUSES, task.await(Execs.name(i)).getExitStatus());
        }
        execs.delete();
        assertEquals(137, task.end());
        Await.within(OUTAGE_MIN, () -> Duration.between(begin, Instant.now()).compareTo(OUTAGE_MIN) > 0);
        assertEquals(told, sink.envelopes().size());
      } finally {
        sink.reopen();
      }
      execs.assertStory(sink, namespace, i -> i % STATUSES);
    }
  }
}
