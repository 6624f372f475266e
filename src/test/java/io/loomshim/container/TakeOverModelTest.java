package io.loomshim.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.container.Steps.Fault;
import io.loomshim.container.Steps.Named;
import io.loomshim.container.World.Call;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * One container, one exec, one Wait, one Kill, and a daemon that is killed at any moment: every order of what can
 * happen is walked through, and at each end each call has been answered, with one answer, and each end of a process has
 * been told once, with one status. What is written and read is what the daemon writes and reads ({@link Steps}).
 */
class TakeOverModelTest {
  private final Set<Long> seen = new HashSet<>();
  private final ArrayDeque<String> path = new ArrayDeque<>();
  private int ends;

  /** Walks through all worlds that follow; the depth is that of one life, some eighty steps. */
  private void walk(World world, Steps steps) throws Exception {
    if (!seen.add(hash(world.key()))) {
      return;
    }
    boolean over = true;
    for (Named step : steps.of(world)) {
      World next = world.copy();
      step.step().in(next);
      next.look();
      path.addLast(step.name());
      over &= step.name().endsWith("SIGKILL");
      walk(next, steps);
      path.removeLast();
    }
    if (over) {
      ends++;
      check(world, steps);
    }
  }

  /** Of 64 bits: among a million worlds two with the same are unlikelier than a fault of the memory. */
  private static long hash(String key) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < key.length(); i++) {
      hash = (hash ^ key.charAt(i)) * 0x100000001b3L;
      hash ^= hash >>> 29;
    }
    return hash;
  }

  /** Nothing can happen any more. */
  private static void check(World world, Steps steps) {
    for (Call call : Call.values()) {
      assertEquals(world.asked.get(call), world.answered.containsKey(call), call + " has no answer");
    }
    assertEquals(List.of(), world.saved().events(), "events are left");
    assertTrue(world.state().all(World.CALL).isEmpty() && world.state().all(World.REPLY).isEmpty(), "calls are left");
    assertEquals(List.of(), world.saved().containers(), "a container is left");
    List<String> told = once(world.delivered);
    if (!"100".equals(world.answered.get(Call.CREATE))) {
      assertEquals(List.of(), told);
      return;
    }
    String status = world.answered.get(Call.WAIT).substring("status ".length());
    assertTrue(steps.right(world, 0, Integer.parseInt(status)), "init: " + status);
    assertEquals("status " + status, world.answered.get(Call.DELETE));
    assertEquals("100", world.answered.get(Call.START));
    var expected = new ArrayList<>(List.of("create", "start"));
    if ("ok".equals(world.answered.get(Call.EXEC))) {
      expected.add("exec-added");
    }
    if ("200".equals(world.answered.get(Call.START_EXEC))) {
      expected.add("exec-started");
      String exec = told.stream().filter(event -> event.startsWith("exit probe")).findFirst().orElse("not told -1");
      assertTrue(steps.right(world, 1, Integer.parseInt(exec.substring(exec.lastIndexOf(' ') + 1))), exec);
      expected.add(exec);
    }
    expected.add("exit web " + status);
    expected.add("delete " + status);
    assertEquals(expected, told);
  }

  /** An event may come twice, but then the second follows the first. */
  private static List<String> once(List<String> delivered) {
    var once = new ArrayList<String>();
    for (String event : delivered) {
      if (once.isEmpty() || !once.getLast().equals(event)) {
        once.add(event);
      }
    }
    return once;
  }

  private void walkAll(Steps steps) throws Exception {
    try {
      walk(new World(), steps);
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + "\nafter:\n  " + String.join("\n  ", path), e);
    }
    System.out.println("take-over: " + seen.size() + " worlds, " + ends + " ends");
  }

  @Test
  void aContainerAndAnExecSurviveAKillAtAnyMoment() throws Exception {
    walkAll(new Steps(1, true, true, false, Fault.NONE));
    assertTrue(seen.size() > 1000, seen.size() + " worlds");
  }

  @Test
  void aContainerSurvivesTwoKillsAlsoOneOfTheDaemonThatTakesOver() throws Exception {
    walkAll(new Steps(2, true, false, true, Fault.NONE));
  }

  @Test
  void whereTheKernelDoesNotTellAStatusAllAreToldTheSame() throws Exception {
    walkAll(new Steps(1, false, true, false, Fault.NONE));
  }

  /** A daemon that does one thing in the wrong order is found out. */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void aFaultIsFound(Fault fault) {
    boolean kernelTells = fault == Fault.PIDFD_GIVEN_UP_FIRST; // else a status may be unknown
    assertThrows(AssertionError.class, () -> walkAll(new Steps(1, kernelTells, true, false, fault)));
  }
}
