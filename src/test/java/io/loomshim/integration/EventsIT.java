package io.loomshim.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The events of a container as subscribers of containerd see them. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
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
  void a_run_makes_the_same_events_with_the_same_fields_in_the_same_order() {
    var events = Differential.same(shim -> {
      String id = Names.id("run");
      BED.ctr().run(shim, id, "sh", "-c", "echo hi; exit 4");
      return Differential.plain(log.until(BED.ctr().namespace(), id, "/tasks/delete"), id);
    });
    assertEquals(WHOLE_LIFE, events.stream().map(line -> line.split(" ")[0]).toList());
  }

  @Test
  void a_container_killed_by_ctr_makes_the_same_events() {
    Differential.same(shim -> {
      String id = Names.id("killed");
      BED.ctr().detached(shim, id, "sleep", "1000");
      BED.ctr().end(id);
      return Differential.plain(log.until(BED.ctr().namespace(), id, "/tasks/delete"), id);
    });
  }

  @Test
  void a_container_that_cannot_start_makes_the_same_events() {
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
  void a_process_that_ends_at_once_has_its_start_before_its_exit() {
    String id = Names.id("quick");
    BED.ctr().run(Shim.tested(), id, "true").ok();
    var events = log.until(BED.ctr().namespace(), id, "/tasks/delete");
    assertEquals(WHOLE_LIFE, events.stream().map(EventLog.Event::topic).toList());
  }

  @Test
  void pids_and_the_exit_status_are_the_containers_own() {
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
