package io.loomshim.integration.cgroup;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pause, resume and update of a container. */
final class PauseIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();

  private static ShimClient created(Shim shim) {
    var task = BED.shims().start(shim, BED.shims().bundle(Names.id("pause"), "sleep", "1000"));
    task.create();
    return task;
  }

  @Test
  void everyStepOfPausingAndResumingLooksTheSame() {
    var steps = Differential.same(shim -> {
      var seen = new ArrayList<String>();
      try (var task = created(shim)) {
        seen.add(failure(task::pause));
        seen.add(failure(task::resume));
        task.start();
        seen.add(failure(task::resume));
        task.exec("e1", "sleep", "1000");
        task.start("e1");
        task.pause();
        seen.add(task.state("").getStatus() + " " + task.state("e1").getStatus());
        seen.add(failure(task::pause));
        seen.add(failure(() -> task.exec("e2", "true")));
        seen.add(failure(() -> task.delete("")));
        task.resume();
        seen.add(task.state("").getStatus() + " " + task.state("e1").getStatus());
        task.end();
        seen.add(failure(task::pause).replace("container not created: not found", "GONE")
            .replace("cannot pause a deleted process", "GONE").replaceAll("^[25] ", ""));
        var events = BED.shims().sink().until(BED.shims().namespace(), task.id(), "/tasks/delete");
        events.stream().filter(e -> !e.topic().equals("/tasks/exit")).forEach(e -> seen.add(e.topic()));
        return seen;
      }
    });
    assertEquals("2 cannot pause task in created state", steps.get(0));
    assertEquals("PAUSED PAUSED", steps.get(3));
    assertTrue(steps.containsAll(List.of("/tasks/paused", "/tasks/resumed")), steps::toString);
  }

  @Test
  void aPausedContainerCanBeKilledAndDeleted() {
    int status = Differential.same(shim -> {
      try (var task = created(shim)) {
        task.start();
        task.pause();
        task.kill(ShimClient.KILL, "");
        if (task.state("").getStatus().toString().equals("PAUSED")) {
          failure(task::resume);
        }
        int ended = task.await("").getExitStatus();
        assertEquals("STOPPED", task.state("").getStatus().toString());
        task.delete("");
        return ended;
      }
    });
    assertEquals(137, status);
  }

  @Test
  void limitsReachTheCgroupOfTheContainer() {
    try (var task = created(SHIM)) {
      task.start();
      task.update("{\"pids\":{\"limit\":77},\"memory\":{\"limit\":67108864}}");
      assertEquals("77", Proc.cgroupFile(task.state("").getPid(), "pids", "pids.max"));
    }
  }

  @Test
  void resourcesThatMakeNoSenseGiveTheErrorOfRunc() {
    var errors = Differential.same(shim -> {
      try (var task = created(shim)) {
        task.start();
        return List.of(refused(task, "{nonsense"), refused(task, "{\"memory\":{\"limit\":\"much\"}}"));
      }
    });
    assertTrue(errors.get(0).startsWith("2 "), errors::toString);
  }

  /** The Go shim reads the JSON itself; ours leaves that to runc, which says the same after its own words. */
  private static String refused(ShimClient task, String resources) {
    return failure(() -> task.update(resources)).replace("runc did not terminate successfully: ", "");
  }

  @Test
  void ctrPausesAndResumes() {
    var states = Differential.same(shim -> {
      String id = Names.id("ctrpause");
      BED.ctr().detached(shim, id, "sleep", "1000");
      BED.ctr().call("task", "pause", id).ok();
      String paused = BED.ctr().status(id);
      BED.ctr().call("task", "resume", id).ok();
      String running = BED.ctr().status(id);
      BED.ctr().end(id);
      return paused + " " + running;
    });
    assertEquals("PAUSED RUNNING", states);
  }
}
