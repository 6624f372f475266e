package io.loomshim.integration.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Execs;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** No exit is lost, however many processes end at the same moment, and whatever the daemon does just then. */
@Timeout(1200)
final class ExitsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final boolean LONG = Boolean.getBoolean("loomshim.long");
  /** {@code -Dloomshim.long=true} makes it the full count. */
  private static final int EXECS = LONG ? 10_000 : 1000;
  private static final Duration SOON = Await.seconds(LONG ? 300 : 60);
  /** Statuses are bytes, and each is another than that of a success. */
  private static final int STATUSES = 200;

  private static int status(int i) {
    return 1 + i % STATUSES;
  }

  /** Whoever reads it is held until this is closed. */
  private static final class Gate implements AutoCloseable {
    private final Path fifo;
    private final String name;
    private OutputStream writer;

    Gate(long init, String name) {
      this.name = name;
      this.fifo = Bundle.fifo(Path.of("/proc/" + init + "/root/run/" + name));
    }

    /** Lets those in who wait for a writer, and waits until each of them is inside, reading its descriptor 0. */
    void gather(int[] pids, int from) throws IOException {
      writer = Files.newOutputStream(fifo);
      for (int i = from; i < pids.length; i += 2) {
        long pid = pids[i];
        await("exec " + i + " reads", () -> Proc.file(pid, 0).endsWith("/run/" + name));
      }
    }

    @Override
    public void close() throws IOException {
      writer.close();
    }
  }

  private static void await(String what, BooleanSupplier condition) {
    if (!Await.within(SOON, condition)) {
      throw new AssertionError("not within " + SOON + ": " + what);
    }
  }

  @Test
  void execsThatExitAtOnceHaveAStatusAndAnEventEachThoughTheDaemonIsStoppedMeanwhile()
      throws Exception {
    Shim.assumeOurs("the Go shim's queues are made for a few");
    try (var task = BED.shims().start(Shim.tested(), BED.shims().bundle(Names.id("exits"), "sleep", "100000"))) {
      long init = task.create();
      task.start();
      long daemon = task.connect().getShimPid();
      var first = new Gate(init, "first");
      var second = new Gate(init, "second");
      var execs = new Execs(task, EXECS);
      int[] pids = execs.start(i -> "read x < /run/" + (i % 2 == 0 ? "first" : "second") + "; exit " + status(i));
      first.gather(pids, 0);
      second.gather(pids, 1);
      Map<Integer, Integer> statuses;
      try (var waits = execs.waits()) {
        int before = BED.shims().sink().envelopes().size();
        first.close();
        await("an exit is told", () -> BED.shims().sink().envelopes().size() > before);
        Proc.signal(daemon, "STOP");
        try {
          second.close();
          for (int i = 0; i < EXECS; i++) {
            int pid = pids[i];
            await("exec " + i + " has ended", () -> !Proc.alive(pid));
          }
        } finally {
          Proc.signal(daemon, "CONT");
        }
        statuses = waits.statuses();
      }
      var expected = new TreeMap<Integer, Integer>();
      for (int i = 0; i < EXECS; i++) {
        expected.put(i, status(i));
      }
      assertEquals(expected, statuses);
      execs.delete();
      assertEquals(1, task.pids().getProcessesCount());
      task.end();
      execs.assertStory(BED.shims().sink(), BED.shims().namespace(), ExitsIT::status);
      assertFalse(Proc.alive(init));
    }
  }
}
