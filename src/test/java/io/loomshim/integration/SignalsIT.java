package io.loomshim.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Signals on their way into containers, and what becomes of processes that die of one. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
final class SignalsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  /** Whose pid namespace others join: only its own first process ignores the deadly signals that it sends itself. */
  private String pause;

  @BeforeEach
  void make_a_pid_namespace() {
    pause = Names.id("pause");
    BED.ctr().detached(SHIM, pause, "sleep", "1000");
  }

  @AfterEach
  void end_the_pid_namespace() {
    assertEquals(137, BED.ctr().end(pause));
  }

  private List<String> joining() {
    return List.of("--rm", "--with-ns", "pid:/proc/" + BED.ctr().pid(pause) + "/ns/pid");
  }

  @ParameterizedTest
  @CsvSource({"TERM, 143", "KILL, 137", "SEGV, 139", "HUP, 129"})
  void a_process_that_a_signal_ended_gives_128_and_the_number(String signal, int status) {
    var result = BED.ctr().run(SHIM, joining(), Names.id("self"), "sh", "-c", "kill -" + signal + " $$; sleep 9");
    assertEquals(status, result.exit(), result::toString);
  }

  @Test
  void a_process_killed_behind_the_shims_back_gives_137() {
    String id = Names.id("outside");
    var run = BED.ctr().start(SHIM, List.of("--rm"), Exec.Setting.NO_STDIN, id, "sleep", "1000");
    Await.status(BED.ctr(), id, "RUNNING");
    Proc.kill(BED.ctr().pid(id));
    assertEquals(137, run.await(Ctr.LIMIT).exit());
  }

  @ParameterizedTest
  @CsvSource({"TERM", "USR1", "HUP", "WINCH"})
  void a_signal_sent_with_ctr_reaches_the_process(String signal) {
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
  void KILL_sent_with_ctr_ends_a_process_that_ignores_everything_else() {
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
  void a_signal_to_all_reaches_children_too() {
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
  void without_a_pid_namespace_of_its_own_the_end_of_a_container_ends_its_children() {
    String id = Names.id("orphans");
    // the LeftOvers check of the bed fails when a sleep stays
    var result = BED.ctr().run(SHIM, joining(), id, "sh", "-c", "sleep 1000 >/dev/null 2>&1 & sleep 1000 & exit 3");
    assertEquals(3, result.exit(), result::toString);
  }

  @Test
  void a_signal_to_a_task_that_has_ended_is_refused_with_the_same_words() {
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
