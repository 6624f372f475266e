package io.loomshim.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.cgroup.Cgroup;
import io.loomshim.event.StillOutbox;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.types.Mount;
import io.loomshim.record.Change;
import io.loomshim.record.Kinds;
import io.loomshim.record.MemoryRecord;
import io.loomshim.record.Saved;
import io.loomshim.stdio.StdioPaths;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is read from a record is what was written, through the bytes of the file. */
class NotesTest {
  private static final StdioPaths STDIO = new StdioPaths("/in", "/out", "", true);
  private static final ContainerSpec SPEC = new ContainerSpec("web", Path.of("/bundle"),
      List.of(Mount.newBuilder().setType("overlay").addOptions("lowerdir=/a").build()), STDIO,
      Options.newBuilder().setRoot("/run/runc").setSystemdCgroup(true).build(), Optional.of(Path.of("/image")));
  private static final ExecSpec EXEC = new ExecSpec("probe", STDIO, "{\"args\":[\"true\"]}");

  private final MemoryRecord record = new MemoryRecord();
  private final TaskEvents events = new TaskEvents("web", new StillOutbox(record, List.of()).outbox());

  private Saved saved() throws Exception {
    return Saved.of("record", record.state());
  }

  private Saved.Container container() throws Exception {
    return saved().containers().getFirst();
  }

  @Test
  void aContainerIsReadAsItWasAskedFor() throws Exception {
    record.write(Notes.asked(SPEC));
    assertTrue(container().init().isEmpty(), "it is being created");
    assertEquals(SPEC, Notes.spec(container()));
    events.created(SPEC, InitState.CREATED_FROM_CHECKPOINT, 0);
    assertEquals(InitState.CREATED_FROM_CHECKPOINT, Notes.state(container().init().orElseThrow(), false));
  }

  @Test
  void theLifeOfAnInitIsReadAsItWasLived() throws Exception {
    record.write(Notes.asked(SPEC));
    events.created(SPEC, InitState.CREATED, 7);
    assertEquals(InitState.CREATED, state());
    var ran = new boolean[1];
    events.started(7, () -> ran[0] = true);
    assertTrue(ran[0]);
    assertEquals(InitState.RUNNING, state());
    assertEquals(Exit.NONE, Notes.exit(container().init().orElseThrow()));
    events.paused();
    assertEquals(InitState.PAUSED, state());
    events.resumed();
    assertEquals(InitState.RUNNING, state());
    var exit = new Exit(137, Instant.ofEpochSecond(1_795_999_917, 345));
    events.exited(7, exit, false, () -> { });
    assertEquals(InitState.STOPPED, state());
    assertEquals(exit, Notes.exit(container().init().orElseThrow()));
    assertEquals(7, container().init().orElseThrow().getPid());
    events.deleted(7, exit, () -> { });
    assertEquals(List.of(), saved().containers());
    assertEquals(137, saved().deleted().get("web").getExitStatus());
    assertEquals(6, saved().events().size());
  }

  private InitState state() throws Exception {
    return Notes.state(container().init().orElseThrow(), container().paused());
  }

  @Test
  void theLifeOfAnExecIsReadAsItWasLived() throws Exception {
    record.write(Notes.asked(SPEC));
    events.execAdded(EXEC);
    assertEquals(EXEC, Notes.exec(exec()));
    assertEquals(ExecState.CREATED, Notes.state(exec()));
    events.execStarted("probe", 9);
    record.write(Notes.stdinClosed("web/probe"));
    assertEquals(ExecState.RUNNING, Notes.state(exec()));
    assertTrue(exec().stdinClosed());
    assertFalse(container().stdinClosed());
    var exit = new Exit(0, Instant.ofEpochSecond(5));
    events.execExited("probe", 9, exit, () -> { });
    assertEquals(ExecState.STOPPED, Notes.state(exec()));
    assertEquals(exit, Notes.exit(exec().process().orElseThrow()));
    record.write(Notes.deleted("web/probe", 9, exit));
    assertEquals(List.of(), container().execs());
    assertEquals(9, saved().deleted().get("web/probe").getPid());
  }

  private Saved.Exec exec() throws Exception {
    return container().execs().getFirst();
  }

  @Test
  void theEndOfAContainerThatHasGoneSaysNothingOfTheNextOfItsName() throws Exception {
    record.write(Notes.asked(SPEC));
    events.created(SPEC, InitState.CREATED, 7);
    record.write(Change.forget("web"));
    record.write(Notes.asked(SPEC));
    events.exited(7, new Exit(137, Instant.EPOCH), true, () -> { });
    assertTrue(container().init().isEmpty());
  }

  @Test
  void aStatusIsKnownFromTheReapingUntilTheEndIsTold() throws Exception {
    record.write(Notes.asked(SPEC));
    events.created(SPEC, InitState.CREATED, 7);
    record.write(Notes.reaped("web", 6, 137)); // of an earlier container of this name
    assertEquals(Optional.empty(), container().reaped());
    record.write(Notes.reaped("web", 7, 3));
    assertEquals(3, container().reaped().orElseThrow().getExitStatus());
    assertEquals(InitState.CREATED, Notes.state(container().init().orElseThrow(), false));
    events.exited(7, new Exit(3, Instant.EPOCH), false, () -> { });
    assertEquals(Optional.empty(), container().reaped());
    assertEquals(3, container().init().orElseThrow().getExitStatus());
  }

  @Test
  void cgroupsAndKillsAreReadAsTheyWere() throws Exception {
    record.write(Notes.asked(SPEC));
    assertEquals(Optional.empty(), Notes.cgroup(container().cgroup()));
    var cgroup = new Cgroup(Map.of("", Path.of("/sys/fs/cgroup/web"), "memory", Path.of("/m")));
    record.write(Notes.found("web", cgroup));
    assertEquals(Optional.of(cgroup), Notes.cgroup(container().cgroup()));
    events.outOfMemory(3, Map.of(4711L, 3L, 4712L, 1L));
    assertEquals(Map.of(4711L, 3L, 4712L, 1L), Notes.told(container().kills()));
    assertEquals(3, record.state().all(Kinds.EVENT).size());
  }
}
