package io.loomshim.integration.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.EventLog;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.TakenOver;
import io.loomshim.ttrpc.Redo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The daemon is killed with SIGKILL, with take_over, under those who use ctr, and under containerd. */
@Tag("any-jdk")
final class CtrTakeOverIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final int KILLS = Boolean.getBoolean("loomshim.long") ? 40 : 4;
  private static final String ECHOING = "echo ready; while read line; do echo got $line; done; exit ";

  private static Ctr ctr;
  private static TakenOver daemon;

  @BeforeAll
  static void begin() {
    Shim.assumeOurs("no other shim is taken over");
    TakenOver.begin();
    ctr = BED.ctr().in(Names.namespace());
    ctr.run(SHIM, Names.id("first"), "true").ok(); // the daemon and its holder are no test's own
    daemon = new TakenOver(ctr.namespace());
    assertTrue(daemon.daemon().alive());
  }

  @AfterAll
  static void end() {
    if (SHIM.ours()) {
      TakenOver.end();
    }
  }

  private static Exec exec(Path stdin, String id, String exec, String... command) {
    var words = new ArrayList<>(List.of("tasks", "exec", "--fifo-dir", BED.directory().resolve("fifo").toString(),
        "--exec-id", exec, id));
    words.addAll(List.of(command));
    return ctr.start(stdin, words.toArray(String[]::new));
  }

  /** Each once: a daemon may be killed before it knows that containerd has an event. */
  private static List<String> topics(EventLog log, String id) {
    return log.until(ctr.namespace(), id, "/tasks/delete").stream().distinct()
        .map(event -> event.topic().substring("/tasks/".length())).toList();
  }

  @Test
  void whoeverIsAttachedGoesOnAndOthersJoin() {
    String id = Names.id("attached");
    try (var log = EventLog.open(ctr)) {
      var run = ctr.start(SHIM, List.of("--rm"), Exec.Setting.PIPE, id, "sh", "-c", ECHOING + 7);
      Await.until("the container is ready", () -> run.output().equals("ready\n"));
      var exec = exec(Exec.Setting.PIPE, id, "lasting", "sh", "-c", ECHOING + 5);
      Await.until("the exec is ready", () -> exec.output().equals("ready\n"));
      long pid = ctr.pid(id);
      var expected = new StringBuilder("ready\n");
      for (int i = 0; i < KILLS; i++) {
        for (String when : List.of("before", "after")) {
          run.type(when + i + "\n");
          exec.type(when + i + "\n");
          expected.append("got ").append(when).append(i).append('\n');
          if (when.equals("before")) {
            daemon.kill();
          }
        }
        var late = exec(Exec.Setting.NO_STDIN, id, "late" + i, "sh", "-c", "echo late; exit 3").await(Ctr.LIMIT);
        assertEquals("late\n3", late.text() + late.exit(), late::toString);
        Await.until("all comes back", () -> run.output().equals(expected.toString())
            && exec.output().equals(expected.toString()));
        assertEquals("RUNNING", ctr.status(id));
        assertEquals(pid, ctr.pid(id));
      }
      exec.feed(new byte[0]);
      var ended = exec.await(Ctr.LIMIT);
      assertEquals(expected.toString() + 5, ended.text() + ended.exit(), ended::toString);
      run.feed(new byte[0]);
      var all = run.await(Ctr.LIMIT);
      assertEquals(expected.toString() + 7, all.text() + all.exit(), all::toString);
      var told = new ArrayList<>(topics(log, id));
      assertEquals(List.of("create", "start"), told.subList(0, 2));
      assertEquals(List.of("exit", "delete"), told.subList(told.size() - 2, told.size()));
      assertEquals(KILLS + 2, told.stream().filter("exit"::equals).count(), told::toString);
    }
  }

  @Test
  void aStopAndAnEndThatNoDaemonSawAreToldAsTheyWere() {
    String stopped = Names.id("stopped");
    String unseen = Names.id("unseen");
    try (var log = EventLog.open(ctr)) {
      var wait = ctr.start(SHIM, List.of(), Exec.Setting.NO_STDIN, stopped, "sh", "-c",
          "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done");
      Await.until("it is ready", () -> wait.output().equals("ready\n"));
      ctr.detached(SHIM, unseen, "sleep", "1000");
      long pid = ctr.pid(unseen);
      daemon.kill(() -> {
        Proc.kill(pid);
        Await.until("it has ended", () -> !Proc.alive(pid));
      });
      ctr.kill(stopped, "TERM").ok();
      assertEquals(9, wait.await(Ctr.LIMIT).exit());
      assertEquals(9, log.until(ctr.namespace(), stopped, "/tasks/exit").getLast().number("exit_status"));
      Await.status(ctr, unseen, "STOPPED");
      assertEquals(137, ctr.deleteTask(unseen));
      assertEquals(List.of("create", "start", "exit", "delete"), topics(log, unseen));
      ctr.call("tasks", "rm", stopped);
      assertEquals(List.of("create", "start", "exit", "delete"), topics(log, stopped));
      ctr.deleteContainer(stopped).ok();
      ctr.deleteContainer(unseen).ok();
    }
  }

  @Test
  void aContainerdThatIsStartedAnewMeanwhileFindsItsContainers() {
    String id = Names.id("survivor");
    String unseen = Names.id("unseen");
    ctr.detached(SHIM, id, "sleep", "1000");
    ctr.detached(SHIM, unseen, "sleep", "1000");
    long pid = ctr.pid(id);
    long victim = ctr.pid(unseen);
    BED.containerd().crash();
    daemon.kill(() -> {
      Proc.kill(victim);
      Await.until("it has ended", () -> !Proc.alive(victim));
    });
    BED.containerd().restart();
    assertEquals("RUNNING", ctr.status(id));
    assertEquals(pid, ctr.pid(id));
    Await.until("the end is known", () -> List.of("STOPPED", "none").contains(ctr.status(unseen)));
    if (ctr.status(unseen).equals("STOPPED")) {
      assertEquals(137, ctr.deleteTask(unseen));
    } else { // what has no pids when it comes back, containerd 1.7 and newer delete, and say so
      assertTrue(BED.containerd().log().lines()
          .anyMatch(line -> line.contains("cleaning leaked shim process") && line.contains("id=" + unseen)));
    }
    ctr.deleteContainer(unseen).ok();
    assertEquals(137, ctr.end(id));
  }

  /** Create is undone when it is cut short, and its client told; all else goes on. */
  @Test
  void containersThatComeAndGoMeanwhileAreWholeOrInDoubt() throws Exception {
    long seed = Long.getLong("loomshim.seed", System.nanoTime());
    var random = new Random(seed);
    int whole = 0;
    for (int i = 0; i < KILLS; i++) {
      long before = daemon.daemon().pid();
      long delay = random.nextInt(300);
      var killed = Await.meanwhile(() -> {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(delay));
        daemon.kill();
        return true;
      });
      for (boolean last = false; !last;) {
        last = killed.isDone();
        String id = Names.id("passing");
        var result = ctr.run(SHIM, id, "sh", "-c", "echo here; exit 4");
        boolean done = result.exit() == 4 && result.text().equals("here\n");
        assertTrue(done || result.errors().contains(Redo.IN_DOUBT), () -> "seed " + seed + ": " + result);
        whole += done ? 1 : 0;
        Await.until("nothing of it is left, seed " + seed, () -> ctr.status(id).equals("none"));
        ctr.deleteContainer(id);
      }
      assertNotEquals(before, daemon.daemon().pid());
    }
    assertTrue(whole >= KILLS, "seed " + seed + ": " + whole + " containers were whole");
  }
}
