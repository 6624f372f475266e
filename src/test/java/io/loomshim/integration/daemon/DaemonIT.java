package io.loomshim.integration.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.EventLog;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The process behind the containers: one for all of a namespace, replaced when it dies, gone when idle. */
final class DaemonIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();

  @Test
  void containersOfADaemonThatIsKilledAreCleanedUpAndNewOnesStart() {
    var ids = List.of(Names.id("dead"), Names.id("dead"), Names.id("dead"));
    ids.forEach(id -> silent(SHIM, id));
    var pids = new ArrayList<>(BED.ctr().pids().values());
    var daemons = new HashSet<Long>();
    pids.forEach(pid -> daemons.add(Proc.info(pid).orElseThrow().parent()));
    assertEquals(SHIM.ours() ? 1 : ids.size(), daemons.size());
    daemons.forEach(Proc::kill);
    for (long pid : pids) {
      Await.until("process " + pid + " is gone", () -> !Proc.alive(pid));
    }
    Await.until("no task is listed", () -> BED.ctr().tasks().isEmpty());
    ids.forEach(id -> BED.ctr().deleteContainer(id).ok());
    assertEquals("new\n", BED.ctr().run(SHIM, Names.id("new"), "echo", "new").ok().text());
    // containerd forgets the task a moment after it has stopped listing it
    Await.until("the id is free", () -> BED.ctr().run(SHIM, ids.getFirst(), "true").exit() == 0);
    // cgroups, runc's state and sockets are the bed's to check
  }

  /** A container without FIFOs: nobody but ctr would remove those of a task that is gone. */
  private static void silent(Shim shim, String id) {
    BED.ctr().run(shim, List.of("--detach", "--null-io"), id, "sleep", "1000").ok();
  }

  @Test
  void theDeathOfADaemonIsToldAsTheExitOfItsContainers() {
    Differential.same(shim -> {
      String id = Names.id("told");
      try (var log = EventLog.open(BED.ctr())) {
        silent(shim, id);
        Proc.kill(Proc.info(BED.ctr().pid(id)).orElseThrow().parent());
        var events = log.until(BED.ctr().namespace(), id, "/tasks/delete");
        Await.until("no task is listed", () -> BED.ctr().tasks().isEmpty());
        BED.ctr().deleteContainer(id).ok();
        return events.stream().map(event -> event.topic() + " " + event.number("exit_status")).toList();
      }
    });
  }

  @Test
  void oneDaemonServesANamespaceAndAnotherServesTheNext() {
    Shim.assumeOurs("Go shims serve one container each");
    var other = BED.ctr().in(Names.namespace());
    String first = Names.id("one");
    String second = Names.id("two");
    BED.ctr().detached(SHIM, first, "sleep", "1000");
    BED.ctr().detached(SHIM, second, "sleep", "1000");
    other.detached(SHIM, first, "sleep", "1000");
    long daemon = Proc.info(BED.ctr().pid(first)).orElseThrow().parent();
    assertEquals(daemon, Proc.info(BED.ctr().pid(second)).orElseThrow().parent());
    assertNotEquals(daemon, Proc.info(other.pid(first)).orElseThrow().parent());
    assertEquals(137, BED.ctr().end(first));
    assertEquals(137, BED.ctr().end(second));
    assertEquals(137, other.end(first));
  }

  @Test
  void anIdleDaemonEndsAfterItsLingerAndTheNextRunStartsAnother() {
    Shim.assumeOurs("Go shims do not linger");
    var install = Install.get();
    var before = new HashSet<>(install.daemons());
    var settings = install.settings();
    settings.put("linger_seconds", "1");
    install.configure(settings);
    try {
      var ctr = BED.ctr().in(Names.namespace());
      var served = new HashSet<Long>();
      for (int round = 0; round < 2; round++) {
        String id = Names.id("linger");
        ctr.detached(SHIM, id, "sleep", "1000");
        served.add(Proc.info(ctr.pid(id)).orElseThrow().parent());
        assertEquals(137, ctr.end(id));
        Await.until("the daemon ends", () -> before.containsAll(install.daemons()));
      }
      assertEquals(2, served.size());
      served.forEach(pid -> Await.until(pid + " is gone", () -> !Proc.alive(pid)));
    } finally {
      install.configure(Map.copyOf(install.settings()));
    }
  }
}
