package io.loomshim.integration.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Inspect;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Logs of containers in a file system that does not answer, as users of ctr meet it. */
@Timeout(120)
final class HungLogIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final int HUNG = 4; // more than there are carriers

  private static void awaitStuck(Shim shim) {
    if (shim.ours()) {
      long pid = Install.get().daemons().getFirst().pid();
      Await.until("all hang", () -> Inspect.number(Inspect.look(pid), "file_steps_total") == HUNG);
    }
  }

  private static String seen(Shim shim) {
    var ctr = BED.ctr();
    String id = Names.id("neighbour");
    ctr.detached(shim, id, "sleep", "1000");
    var hanging = new ArrayList<Exec>();
    var seen = new StringBuilder();
    try (var hung = HungFiles.mount(BED.directory().resolve(Names.id("hung")))) {
      for (int i = 0; i < HUNG; i++) {
        var flags = List.of("--detach", "--log-uri", "file://" + hung.path("log" + i));
        hanging.add(ctr.start(shim, flags, Exec.Setting.NO_STDIN, Names.id("hung"), "true"));
      }
      awaitStuck(shim);
      seen.append(ctr.call("tasks", "exec", "--exec-id", "e", id, "sh", "-c", "echo hi; exit 3").exit());
      seen.append(' ').append(ctr.call("tasks", "ps", id).ok().text().lines().count());
      seen.append(' ').append(ctr.status(id));
      seen.append(' ').append(ctr.end(id));
    }
    for (Exec one : hanging) {
      assertTrue(one.await(Ctr.LIMIT).exit() != 0);
    }
    ctr.clear();
    return seen.toString();
  }

  @Test
  void logsThatHangLeaveEveryOtherContainerAlone() {
    assertEquals("3 2 RUNNING 137", seen(Shim.tested()));
    assertEquals("3 2 RUNNING 137", seen(new Shim("io.containerd.runc.v2")));
  }
}
