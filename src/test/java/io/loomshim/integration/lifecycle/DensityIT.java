package io.loomshim.integration.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A node full of containers, all of them in one daemon. */
final class DensityIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  /** {@code -Dloomshim.long=true} makes it the full count. */
  private static final int CONTAINERS = Boolean.getBoolean("loomshim.long") ? 1000 : 60;
  /** Of the operating system, whatever the number of containers. */
  private static final int THREADS_MAX = 32;

  @BeforeAll
  static void one() {
    Shim.assumeOurs("the Go shims have a process for each container");
  }

  @Test
  void everyOneOfManyContainersAnswersStateExecAndKill() {
    var tasks = new ArrayList<ShimClient>();
    var daemons = new HashSet<Long>();
    try {
      for (int i = 0; i < CONTAINERS; i++) {
        var task = BED.shims().start(SHIM, BED.shims().bundle(Names.id("dense"), "sleep", "100000"));
        tasks.add(task);
        task.create();
        daemons.add(Proc.info(task.start()).orElseThrow().parent());
      }
      assertEquals(1, daemons.size(), "daemons that serve them");
      for (var task : tasks) {
        assertEquals("RUNNING", task.state("").getStatus().toString());
      }
      for (var task : tasks) {
        task.exec("e", "sh", "-c", "exit 7");
        task.start("e");
        assertEquals(7, task.await("e").getExitStatus());
        task.delete("e");
      }
      List<String> threads = Proc.threads(daemons.iterator().next());
      assertTrue(threads.size() <= THREADS_MAX, threads::toString);
      for (var task : tasks) {
        task.kill(ShimClient.KILL, "");
      }
      for (var task : tasks) {
        assertEquals(137, task.await("").getExitStatus());
        task.delete("");
      }
    } finally {
      tasks.forEach(ShimClient::close);
    }
  }
}
