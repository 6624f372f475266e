package io.loomshim.integration.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Many containers at once, and many after each other. */
final class ManyIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final int AT_ONCE = 50;

  @Test
  void fiftyContainersRunAtOnceAndAllGoAway() {
    var ids = ids("many", AT_ONCE);
    var starts = new ArrayList<Exec>();
    for (String id : ids) {
      starts.add(BED.ctr().start(SHIM, List.of("--detach"), Exec.Setting.NO_STDIN, id, "sleep", "1000"));
    }
    starts.forEach(start -> start.await(Ctr.LIMIT).ok());
    assertEquals(Set.of("RUNNING"), new HashSet<>(BED.ctr().tasks().values()));
    assertEquals(new HashSet<>(ids), BED.ctr().tasks().keySet());
    var parents = new HashSet<Long>();
    for (long pid : BED.ctr().pids().values()) {
      parents.add(Proc.info(pid).orElseThrow().parent());
    }
    assertEquals(SHIM.ours() ? 1 : AT_ONCE, parents.size(), "shims that serve them");
    all(ids, "tasks", "kill", "--signal", "KILL");
    Await.until("all stopped", () -> Set.copyOf(BED.ctr().tasks().values()).equals(Set.of("STOPPED")));
    for (var result : all(ids, "tasks", "rm")) {
      assertEquals(137, Ctr.exitStatus(result));
    }
    all(ids, "containers", "rm");
    assertEquals(Set.of(), BED.ctr().tasks().keySet());
  }

  @Test
  void twentyRunsAtATimeAllSucceed() {
    var runs = new ArrayList<Exec>();
    for (String id : ids("crowd", 20)) {
      runs.add(BED.ctr().start(SHIM, List.of("--rm"), Exec.Setting.NO_STDIN, id, "echo", id));
    }
    for (var run : runs) {
      var result = run.await(Ctr.LIMIT).ok();
      assertEquals(result.command().getLast() + "\n", result.text());
    }
  }

  @Test
  void aHundredRunsInARowLeaveNothing() {
    // the bed compares descriptors, threads, mounts, cgroups and processes before and after
    for (String id : ids("row", 100)) {
      BED.ctr().run(SHIM, id, "true").ok();
    }
  }

  private static List<String> ids(String what, int count) {
    var ids = new ArrayList<String>();
    for (int i = 0; i < count; i++) {
      ids.add(Names.id(what));
    }
    return ids;
  }

  /** One ctr command for every id, all at the same time. */
  private static List<Exec.Result> all(List<String> ids, String... command) {
    var running = new ArrayList<Exec>();
    for (String id : ids) {
      var arguments = new ArrayList<>(List.of(command));
      arguments.add(id);
      running.add(BED.ctr().start(Exec.Setting.NO_STDIN, arguments.toArray(String[]::new)));
    }
    return running.stream().map(each -> each.await(Ctr.LIMIT).ok()).toList();
  }
}
