package io.loomshim.inspect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;

class WaitsTest {
  private static StackTraceElement frame(String type, String method) {
    return new StackTraceElement(type, method, "File.java", 7);
  }

  /** Fields of a class that takes the lock: it, or the object that has it. */
  private static final Set<String> LOCK_OR_OWNER = Set.of("operations", "life");

  @Test
  void everyFrameThatHasAMeaningExists() throws Exception {
    for (String place : Waits.MEANINGS.keySet()) {
      int dot = place.lastIndexOf('.');
      Class<?> type = Class.forName(place.substring(0, dot));
      String method = place.substring(dot + 1);
      assertTrue(Arrays.stream(type.getDeclaredMethods()).anyMatch(m -> m.getName().equals(method)), place);
    }
    for (String type : Waits.ONE_AT_A_TIME) {
      var fields = Class.forName(type).getDeclaredFields();
      assertTrue(Arrays.stream(fields).anyMatch(field -> LOCK_OR_OWNER.contains(field.getName())), type);
    }
  }

  @Test
  void theFirstFrameOfOursSaysWhatIsWaitedFor() {
    assertEquals("the end of the process", Waits.of(new StackTraceElement[] {
      frame("java.lang.VirtualThread", "park"), frame("io.loomshim.container.ExitLatch", "await"),
      frame("io.loomshim.container.InitProcess", "delete")}));
    assertEquals("an earlier call for the same process", Waits.of(new StackTraceElement[] {
      frame("java.lang.VirtualThread", "park"), frame("java.util.concurrent.locks.ReentrantLock", "lockInterruptibly"),
      frame("io.loomshim.container.InitProcess", "update")}));
    assertEquals("container.InitProcess.delete:7", Waits.of(new StackTraceElement[] {
      frame("java.lang.Thread", "sleep"), frame("io.loomshim.container.InitProcess", "delete")}));
    assertEquals("", Waits.of(new StackTraceElement[0]));
  }

  @Test
  void theNamesOfThreadsTellTheirContainer() {
    assertEquals("exit/web-1", ThreadNames.name("#23 \"exit/web-1\" virtual WAITING 2026-01-01"));
    assertEquals("", ThreadNames.name("#23"));
    for (String name : Set.of("exit/web-1", "exit/web-1/probe", "io/web-1/stdout", "rpc/Kill/web-1", "oom/web-1",
        "rpc/Start/web-1/probe", "runc/create/web-1/kill", "undo/web-1/probe", "abandon/web-1")) {
      assertEquals("web-1", ThreadNames.container(name), name);
    }
    for (String name : Set.of("main", "poller", "conn/c7", "events/k8s.io", "oom", "", "rpc/State")) {
      assertEquals("", ThreadNames.container(name), name);
    }
  }
}
