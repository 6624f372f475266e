package io.loomshim.integration.containerd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.EventLog;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Containers outlive containerd. */
final class RestartIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();

  @Test
  void aTaskSurvivesACrashOfContainerdAndItsExitIsDelivered() {
    String id = Names.id("survivor");
    BED.ctr().detached(SHIM, id, "sleep", "1000");
    long pid = BED.ctr().pid(id);
    BED.containerd().crash();
    assertTrue(Proc.alive(pid));
    BED.containerd().restart();
    assertEquals("RUNNING", BED.ctr().status(id));
    assertEquals(pid, BED.ctr().pid(id));
    try (var log = EventLog.open(BED.ctr())) {
      BED.ctr().kill(id, "KILL").ok();
      var exit = log.until(BED.ctr().namespace(), id, "/tasks/exit").getLast();
      assertEquals(137, exit.number("exit_status"));
    }
    Await.status(BED.ctr(), id, "STOPPED");
    assertEquals(137, BED.ctr().deleteTask(id));
    BED.ctr().deleteContainer(id).ok();
  }

  @Test
  void anExitWhileContainerdIsDownIsSeenAfterwards() {
    String id = Names.id("unseen");
    BED.ctr().detached(SHIM, id, "sleep", "1000");
    long pid = BED.ctr().pid(id);
    BED.containerd().crash();
    Proc.kill(pid);
    Await.until("the process is gone", () -> !Proc.alive(pid));
    BED.containerd().restart();
    Await.status(BED.ctr(), id, "STOPPED");
    assertEquals(137, BED.ctr().deleteTask(id));
    BED.ctr().deleteContainer(id).ok();
  }

  @Test
  void theEventOfAnExitWhileContainerdIsDownIsDeliveredOnceItIsBack() {
    Shim.assumeOurs("the Go shim retries with a deadline that has passed and may lose the event");
    var ctr = BED.ctr().in(Names.namespace());
    String id = Names.id("late");
    ctr.detached(SHIM, id, "sleep", "1000");
    long pid = ctr.pid(id);
    BED.containerd().crash();
    Proc.kill(pid);
    Await.until("the process is gone", () -> !Proc.alive(pid));
    BED.containerd().restart();
    Await.until("the event arrives", () -> BED.containerd().forwarded(ctr.namespace(), "/tasks/exit") == 1);
    Await.status(ctr, id, "STOPPED");
    assertEquals(137, ctr.deleteTask(id));
    ctr.deleteContainer(id).ok();
  }

  @Test
  void aNewContainerStartsAfterACrashOfContainerd() {
    BED.containerd().crash();
    BED.containerd().restart();
    assertEquals("here\n", BED.ctr().run(SHIM, Names.id("next"), "echo", "here").ok().text());
  }
}
