package io.loomshim.integration.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.EventLog;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The events of a container as subscribers of containerd see them. */
final class EventsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final List<String> WHOLE_LIFE = List.of("/tasks/create", "/tasks/start", "/tasks/exit",
      "/tasks/delete");
  private EventLog log;

  @BeforeEach
  void subscribe() {
    log = EventLog.open(BED.ctr());
  }

  @AfterEach
  void unsubscribe() {
    log.close();
  }

  @Test
  void aRunMakesTheSameEventsWithTheSameFieldsInTheSameOrder() {
    var events = Differential.same(shim -> {
      String id = Names.id("run");
      BED.ctr().run(shim, id, "sh", "-c", "echo hi; exit 4");
      return Differential.plain(log.until(BED.ctr().namespace(), id, "/tasks/delete"), id);
    });
    assertEquals(WHOLE_LIFE, events.stream().map(line -> line.split(" ")[0]).toList());
  }

  @Test
  void aContainerKilledByCtrMakesTheSameEvents() {
    Differential.same(shim -> {
      String id = Names.id("killed");
      BED.ctr().detached(shim, id, "sleep", "1000");
      BED.ctr().end(id);
      return Differential.plain(log.until(BED.ctr().namespace(), id, "/tasks/delete"), id);
    });
  }

  @Test
  void aContainerThatCannotStartMakesTheSameEvents() {
    Differential.same(shim -> {
      String id = Names.id("never");
      BED.ctr().run(shim, id, "no-such-program");
      String after = Names.id("after");
      BED.ctr().run(shim, after, "true").ok();
      log.until(BED.ctr().namespace(), after, "/tasks/delete");
      return Differential.plain(log.of(BED.ctr().namespace(), id), id);
    });
  }

  @RepeatedTest(5)
  void aProcessThatEndsAtOnceHasItsStartBeforeItsExit() {
    String id = Names.id("quick");
    BED.ctr().run(Shim.tested(), id, "true").ok();
    var events = log.until(BED.ctr().namespace(), id, "/tasks/delete");
    assertEquals(WHOLE_LIFE, events.stream().map(EventLog.Event::topic).toList());
  }

  @Test
  void pidsAndTheExitStatusAreTheContainersOwn() {
    String id = Names.id("fields");
    BED.ctr().detached(Shim.tested(), id, "sleep", "1000");
    long pid = BED.ctr().pid(id);
    BED.ctr().end(id);
    for (var event : log.until(BED.ctr().namespace(), id, "/tasks/delete")) {
      assertEquals(pid, event.number("pid"), event::toString);
      boolean over = event.topic().equals("/tasks/exit") || event.topic().equals("/tasks/delete");
      assertEquals(over ? 137 : 0, event.number("exit_status"), event::toString);
      assertEquals(event.topic().equals("/tasks/exit") ? id : "", event.text("id"), event::toString);
    }
  }
}
