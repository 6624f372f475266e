package io.loomshim.integration.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Execs;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.ProcessConnector;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.opentest4j.TestAbortedException;

/**
 * Processes of containers that end while no daemon runs, or under one that is not their parent, on any kernel as on
 * those whose pidfds do not tell how.
 */
final class ExitsMeanwhileIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final int EXECS = 12;
  private static final Map<String, String> SETTINGS = Map.of("take_over", "true", "java_options",
      "-Dloomshim.connector=true -Dloomshim.deaths.seconds=0");

  @BeforeAll
  static void heard() throws ErrnoException {
    Shim.assumeOurs("no other shim is taken over");
    try (ProcessConnector connector = ProcessConnector.listen(1)) {
      connector.ignore();
    } catch (ErrnoException e) {
      if (e.errno() == Errno.EPERM) {
        throw new TestAbortedException("the process connector tells root in the first namespace of pids alone");
      }
      throw e;
    }
  }

  private static int status(int i) {
    return i + 1;
  }

  /** It has ended and been reaped, so that only the connector has its status. */
  private static void awaitReaped(int pid) {
    Await.until("process " + pid + " is reaped", () -> !Files.exists(Path.of("/proc/" + pid)));
  }

  @Test
  void endsWithoutADaemonAreToldAsTheyWere() throws Exception {
    try (var own = new OwnDaemon(BED.rootfs(), SETTINGS); var task = own.running("sleep", "1000")) {
      int init = task.state("").getPid();
      Path fifo = Bundle.fifo(Path.of("/proc/" + init + "/root/run/go"));
      task.exec("killed", "sleep", "1000");
      int killed = task.start("killed");
      var execs = new Execs(task, EXECS);
      int[] pids = execs.start(i -> "read x < /run/go; exit " + status(i));
      try (var waits = execs.waits()) {
        try (OutputStream writer = Files.newOutputStream(fifo)) {
          for (int pid : pids) {
            Await.until("an exec reads", () -> Proc.file(pid, 0).endsWith("/run/go"));
          }
          Proc.signal(own.holder(), "STOP");
          own.kill();
        }
        Proc.kill(killed);
        awaitReaped(killed);
        for (int pid : pids) {
          awaitReaped(pid);
        }
        Proc.kill(init);
        awaitReaped(init);
        Proc.signal(own.holder(), "CONT");
        var expected = new TreeMap<Integer, Integer>();
        for (int i = 0; i < EXECS; i++) {
          expected.put(i, status(i));
        }
        assertEquals(expected, waits.statuses());
      }
      assertEquals(137, task.await("killed").getExitStatus());
      assertEquals(137, task.await("").getExitStatus());
      task.delete("killed");
      execs.delete();
      task.delete("");
    }
  }

  @Test
  void endsUnderALaterDaemonAreToldAsTheyAre() throws Exception {
    try (var own = new OwnDaemon(BED.rootfs(), SETTINGS); var task = own.running("sleep", "1000")) {
      int init = task.state("").getPid();
      Path fifo = Bundle.fifo(Path.of("/proc/" + init + "/root/run/go"));
      task.exec("first", "sh", "-c", "read x < /run/go; exit 3");
      int first = task.start("first");
      own.kill();
      task.exec("second", "sh", "-c", "read x < /run/go; exit 4");
      int second = task.start("second");
      own.kill();
      assertEquals("RUNNING", task.state("second").getStatus().name());
      try (OutputStream writer = Files.newOutputStream(fifo)) {
        Await.until("the first reads", () -> Proc.file(first, 0).endsWith("/run/go"));
        Await.until("the second reads", () -> Proc.file(second, 0).endsWith("/run/go"));
      }
      assertEquals(3, task.await("first").getExitStatus());
      assertEquals(4, task.await("second").getExitStatus());
      task.exec("own", "sh", "-c", "exit 5");
      task.start("own");
      assertEquals(5, task.await("own").getExitStatus());
      task.kill(9, "");
      assertEquals(137, task.await("").getExitStatus());
    }
  }
}
