package io.loomshim.integration.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Signals on their way into containers, and what becomes of processes that die of one. */
final class SignalsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  /** Whose pid namespace others join: only its own first process ignores the deadly signals that it sends itself. */
  private String pause;

  @BeforeEach
  void makePidNamespace() {
    pause = Names.id("pause");
    BED.ctr().detached(SHIM, pause, "sleep", "1000");
  }

  @AfterEach
  void endPidNamespace() {
    assertEquals(137, BED.ctr().end(pause));
  }

  private List<String> joining() {
    return List.of("--rm", "--with-ns", "pid:/proc/" + BED.ctr().pid(pause) + "/ns/pid");
  }

  @ParameterizedTest
  @CsvSource({"TERM, 143", "KILL, 137", "SEGV, 139", "HUP, 129"})
  void aProcessThatASignalEndedGives128AndTheNumber(String signal, int status) {
    var result = BED.ctr().run(SHIM, joining(), Names.id("self"), "sh", "-c", "kill -" + signal + " $$; sleep 9");
    assertEquals(status, result.exit(), result::toString);
  }

  @Test
  void aProcessKilledBehindTheShimsBackGives137() {
    String id = Names.id("outside");
    var run = BED.ctr().start(SHIM, List.of("--rm"), Exec.Setting.NO_STDIN, id, "sleep", "1000");
    Await.status(BED.ctr(), id, "RUNNING");
    Proc.kill(BED.ctr().pid(id));
    assertEquals(137, run.await(Ctr.LIMIT).exit());
  }

  @ParameterizedTest
  @CsvSource({"TERM", "USR1", "HUP", "WINCH"})
  void aSignalSentWithCtrReachesTheProcess(String signal) {
    String id = Names.id("trap");
    var run = BED.ctr().start(SHIM, List.of("--rm"), Exec.Setting.NO_STDIN, id, "sh", "-c",
        "trap 'echo got " + signal + "; exit 7' " + signal + "; echo ready; sleep 1000 & wait");
    Await.until("the trap is set", () -> run.output().contains("ready"));
    BED.ctr().kill(id, signal).ok();
    var result = run.await(Ctr.LIMIT);
    assertEquals("ready\ngot " + signal + "\n", result.text());
    assertEquals(7, result.exit());
  }

  @Test
  void killSentWithCtrEndsAProcessThatIgnoresEverythingElse() {
    String id = Names.id("deaf");
    var run = BED.ctr().start(SHIM, List.of("--rm"), Exec.Setting.NO_STDIN, id, "sh", "-c",
        "trap '' TERM INT HUP; echo ready; while true; do sleep 1000; done");
    Await.until("the trap is set", () -> run.output().contains("ready"));
    BED.ctr().kill(id, "TERM").ok();
    assertEquals("RUNNING", BED.ctr().status(id));
    BED.ctr().kill(id, "KILL").ok();
    assertEquals(137, run.await(Ctr.LIMIT).exit());
  }

  @Test
  void aSignalToAllReachesChildrenToo() {
    String id = Names.id("all");
    var run = BED.ctr().start(SHIM, List.of("--rm"), Exec.Setting.NO_STDIN, id, "sh", "-c",
        "trap 'echo parent' USR1; sh -c 'trap \"echo child; exit\" USR1; echo ready; sleep 1000 & wait' & "
            + "wait; wait; exit 9");
    Await.until("the trap is set", () -> run.output().contains("ready"));
    BED.ctr().call("tasks", "kill", "--all", "--signal", "USR1", id).ok();
    var result = run.await(Ctr.LIMIT);
    assertTrue(result.text().contains("parent\n"), result::toString);
    assertTrue(result.text().contains("child\n"), result::toString);
    assertEquals(9, result.exit());
  }

  @Test
  void withoutAPidNamespaceOfItsOwnTheEndOfAContainerEndsItsChildren() {
    String id = Names.id("orphans");
    // the LeftOvers check of the bed fails when a sleep stays
    var result = BED.ctr().run(SHIM, joining(), id, "sh", "-c", "sleep 1000 >/dev/null 2>&1 & sleep 1000 & exit 3");
    assertEquals(3, result.exit(), result::toString);
  }

  @Test
  void aSignalToATaskThatHasEndedIsRefusedWithTheSameWords() {
    Differential.same(shim -> {
      String id = Names.id("ended");
      BED.ctr().detached(shim, id, "true");
      Await.status(BED.ctr(), id, "STOPPED");
      var kill = BED.ctr().kill(id, "TERM");
      BED.ctr().deleteTask(id);
      BED.ctr().deleteContainer(id).ok();
      return kill.exit() + " " + Differential.plain(kill.errors(), id);
    });
  }
}
