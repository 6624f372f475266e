package io.loomshim.integration.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.EventLog;
import io.loomshim.integration.harness.EventSink;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Containers that run out of memory. */
final class OomIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final String LIMIT = "{\"memory\":{\"limit\":16777216,\"swap\":16777216}}";
  /** {@code -Dloomshim.long=true} makes it the full count. */
  private static final int KILLS = Boolean.getBoolean("loomshim.long") ? 500 : 20;

  private static List<String> topics(ShimClient task) {
    return BED.shims().sink().until(BED.shims().namespace(), task.id(), "/tasks/delete").stream()
        .map(EventSink.Seen::topic).toList();
  }

  /** Creates a task that takes ever more memory once it may, with a limit that it soon reaches. */
  private static List<String> killed() {
    try (var task = BED.shims().start(Shim.tested(), BED.shims().bundle(Names.id("oom"), "tail", "/dev/zero"))) {
      task.create();
      task.update(LIMIT);
      task.start();
      assertEquals(137, task.await("").getExitStatus());
      task.delete("");
      return topics(task);
    }
  }

  @Test
  void everyKillForWantOfMemoryIsToldOnceAndBeforeTheExitThatItCaused() {
    IntStream.range(0, KILLS).forEach(i -> assertEquals(
        List.of("/tasks/create", "/tasks/start", "/tasks/oom", "/tasks/exit", "/tasks/delete"), killed(), "kill " + i));
  }

  @Test
  void theKillOfAnExecIsToldBeforeItsExitWhileTheContainerRunsOn() {
    try (var task = BED.shims().start(Shim.tested(), BED.shims().bundle(Names.id("oomexec"), "sleep", "1000"))) {
      task.create();
      task.start();
      task.update(LIMIT);
      task.exec("greedy", "tail", "/dev/zero");
      task.start("greedy");
      assertEquals(137, task.await("greedy").getExitStatus());
      assertEquals("RUNNING", task.state("").getStatus().toString());
      task.end();
      var topics = topics(task);
      assertTrue(topics.indexOf("/tasks/oom") < topics.indexOf("/tasks/exit"), topics::toString);
      assertEquals(1, topics.stream().filter("/tasks/oom"::equals).count(), topics::toString);
    }
  }

  @Test
  void theKillOfAProcessThatTheShimDoesNotWaitForIsToldWhileTheContainerRunsOn() {
    String[] parent = {"sh", "-c", "tail /dev/zero; sleep 1000"};
    try (var task = BED.shims().start(Shim.tested(), BED.shims().bundle(Names.id("oominner"), parent))) {
      task.create();
      task.update(LIMIT);
      task.start();
      BED.shims().sink().until(BED.shims().namespace(), task.id(), "/tasks/oom");
      assertEquals("RUNNING", task.state("").getStatus().toString());
      task.end();
      assertEquals(List.of("/tasks/create", "/tasks/start", "/tasks/oom", "/tasks/exit", "/tasks/delete"),
          topics(task));
    }
  }

  /** How many processes of the container of {@code pid} the kernel says that it has killed for want of memory. */
  private static long kills(long pid) {
    String file = Proc.cgroupFile(pid, "memory", Shim.UNIFIED ? "memory.events" : "memory.oom_control");
    return file.lines().filter(line -> line.startsWith("oom_kill "))
        .mapToLong(line -> Long.parseLong(line.split(" ")[1])).sum();
  }

  @Test
  void ofProcessesThatAreKilledAtTheSameTimeEachIsTold() {
    String greedy = "for i in 1 2 3 4 5 6 7 8; do tail /dev/zero & done; wait; sleep 1000";
    try (var task = BED.shims().start(Shim.tested(), BED.shims().bundle(Names.id("oommany"), "sh", "-c", greedy))) {
      int pid = task.create();
      task.update(LIMIT);
      task.start();
      Await.until("the kernel has killed all", () -> kills(pid) == 8);
      task.end();
      assertEquals(8, topics(task).stream().filter("/tasks/oom"::equals).count());
    }
  }

  @Test
  void aContainerThatIsMerelyKilledTellsNothingOfMemory() {
    try (var task = BED.shims().start(Shim.tested(), BED.shims().bundle(Names.id("fine"), "sleep", "1000"))) {
      task.create();
      task.start();
      task.end();
      assertTrue(!topics(task).contains("/tasks/oom"));
    }
  }

  @Test
  void ctrUsersSeeTheSameEventsAsWithTheOriginal() {
    var seen = Differential.same(shim -> {
      String id = Names.id("ctroom");
      try (var log = EventLog.open(BED.ctr())) {
        var result = BED.ctr().run(shim, List.of("--memory-limit", "16777216"), id, "tail", "/dev/zero");
        var topics = log.until(BED.ctr().namespace(), id, "/tasks/delete").stream().map(EventLog.Event::topic).toList();
        return result.exit() + " " + topics.contains("/tasks/oom");
      }
    });
    assertEquals("137 true", seen);
  }
}
