package io.loomshim.integration.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.RecordEntry;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.record.Kinds;
import io.loomshim.ttrpc.Redo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A daemon that is killed between two steps that it does one right after the other. */
final class BetweenStepsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Map<String, String> SETTINGS = Map.of("take_over", "true");

  @BeforeAll
  static void ours() {
    Shim.assumeOurs("no other shim is taken over");
  }

  private static OwnDaemon daemon() {
    return new OwnDaemon(BED.rootfs(), SETTINGS);
  }

  /** The topics of a container's events, without what came again. */
  private static List<String> told(OwnDaemon own, ShimClient task, String last) {
    String topic = "/tasks/" + last;
    own.shims().sink().until(own.shims().namespace(), task.id(), topic);
    return own.shims().sink().of(own.shims().namespace(), task.id()).stream()
        .map(seen -> seen.topic().substring("/tasks/".length())).distinct().toList();
  }

  private static Path state(OwnDaemon own, ShimClient task) {
    return Names.RUNC_ROOT.resolve(own.shims().namespace()).resolve(task.id());
  }

  /** Lets the init go, as the last step but one of a start does. */
  private static void letGo(OwnDaemon own, ShimClient task) {
    Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()),
        List.of("cat", state(own, task).resolve("exec.fifo").toString())).await(Ctr.LIMIT).ok();
  }

  /** Right after its start: whoever was let go has ended, the fifo is there. */
  @Test
  void anInitThatWasLetGoAndHasEndedIsToldToHaveStarted() throws Exception {
    try (var own = daemon(); var task = own.open("sh", "-c", "exit 46")) {
      int init = task.create();
      own.kill(() -> {
        letGo(own, task);
        Await.until("it has ended", () -> !Proc.alive(init));
      });
      assertEquals(46, task.await("").getExitStatus());
      assertEquals(List.of("create", "start", "exit"), told(own, task, "exit"));
      task.delete("");
    }
  }

  /** The same of a Start that its client still waits for; how the init has ended does not tell that it was let go. */
  @Test
  void anInitThatWasKilledWhileItWasStartedIsToldToHaveStartedAsItsStartIsAnswered() throws Exception {
    var slowly = FaultyRunc.make(BED.directory(), "start",
        "$runc \"$@\"; touch \"$0.done\"; while [ ! -e \"$0.go\" ]; do sleep 0.02; done");
    try (var own = daemon(); var task = own.open("sleep", "1000")) {
      int init = task.create(r -> r.setOptions(slowly.options().orElseThrow()));
      var start = Await.meanwhile(() -> ShimClient.failure(task::start));
      Await.until("it was let go", () -> Files.exists(slowly.beside("done")));
      own.kill(() -> {
        Proc.kill(init);
        Await.until("it has ended", () -> !Proc.alive(init));
        Files.createFile(slowly.beside("go"));
      });
      assertEquals("no error: ", start.get(60, TimeUnit.SECONDS));
      assertEquals(137, task.await("").getExitStatus());
      assertEquals(List.of("create", "start", "exit"), told(own, task, "exit"));
      task.delete("");
    }
  }

  /** Nobody had asked for its start: one that is killed then has not been started. */
  @Test
  void anInitThatWasKilledBeforeItsStartIsNotToldToHaveStarted() throws Exception {
    try (var own = daemon(); var task = own.open("sleep", "1000")) {
      int init = task.create();
      own.kill(() -> {
        Proc.kill(init);
        Await.until("it has ended", () -> !Proc.alive(init));
      });
      assertEquals(137, task.await("").getExitStatus());
      assertEquals(List.of("create", "exit"), told(own, task, "exit"));
      task.delete("");
    }
  }

  /** Between the last two steps of a start without runc. */
  @Test
  void anInitThatWasLetGoRunsThoughItsFifoIsStillThere() throws Exception {
    try (var own = daemon(); var task = own.open("sleep", "1000")) {
      int pid = task.create();
      letGo(own, task);
      Await.until("it runs", () -> Proc.info(pid).orElseThrow().commandLine().equals("sleep 1000"));
      own.kill();
      assertEquals("RUNNING", task.state("").getStatus().name());
      task.end();
      assertEquals(List.of("create", "start", "exit", "delete"), told(own, task, "delete"));
    }
  }

  /** The record says that a stdin was closed, and it was not yet. */
  @Test
  void aStdinThatWasAboutToBeClosedIsClosedByTheNextDaemon() throws Exception {
    try (var own = daemon(); var task = own.running("sleep", "1000"); var cat = own.open("cat")) {
      Path in = Bundle.fifo(BED.directory().resolve("stdin-of-init"));
      cat.create(r -> r.setStdin(in.toString()));
      cat.start();
      for (String exec : List.of("closed", "open")) {
        Path other = Bundle.fifo(BED.directory().resolve("stdin-" + exec));
        task.exec(exec, r -> r.setStdin(other.toString()), "cat");
        task.start(exec);
      }
      own.kill(() -> {
        Path record = own.daemon().directory().resolve("record");
        RecordEntry.put(record, Kinds.STDIN_CLOSED, cat.id());
        RecordEntry.put(record, Kinds.STDIN_CLOSED, task.id() + "/closed");
      });
      assertEquals(0, cat.await("").getExitStatus());
      assertEquals(0, task.await("closed").getExitStatus());
      assertEquals("RUNNING", task.state("open").getStatus().name());
      task.closeIo("open");
      assertEquals(0, task.await("open").getExitStatus());
    }
  }

  /** The next daemon has been started, and whoever has started it is gone: its parent is no holder. */
  @Test
  void aHolderThatIsLostWhenItHasStartedTheNextDaemonIsReplaced() throws Exception {
    try (var own = daemon(); var task = own.running("sleep", "1000")) {
      long holder = own.holder();
      own.kill();
      var next = new AtomicReference<Optional<Long>>(Optional.empty());
      Await.until("the next daemon is being started", () -> {
        next.set(Proc.all().values().stream().filter(info -> info.parent() == holder && !info.zombie())
            .map(Proc.Info::pid).findFirst());
        return next.get().isPresent();
      });
      long daemon = next.get().orElseThrow();
      Proc.kill(holder); // before that one has a parent to look at: a JVM starts in no less than 50 ms
      Await.until("the holder is lost", () -> !Proc.alive(holder));
      assertEquals("RUNNING", task.state("").getStatus().name());
      assertEquals(daemon, task.connect().getShimPid());
      Await.until("there is another holder", () -> own.holder() != holder && Proc.alive(own.holder()));
      own.kill();
      assertEquals("RUNNING", task.state("").getStatus().name());
      assertNotEquals(daemon, task.connect().getShimPid());
    }
  }

  /** A creation has failed, and what it had made is still there. */
  @Test
  void anUndoingThatWasUnderWayIsDoneByTheNextDaemon() throws Exception {
    var faulty = FaultyRunc.make(BED.directory().resolve(Names.id("undone")), List.of("create", "delete"), """
        case " $* " in
          *' create '*) $runc "$@"; echo 'it failed' >&2; exit 1 ;;
        esac
        if mkdir "$0.undoing" 2> /dev/null; then
          while [ ! -e "$0.go" ]; do sleep 0.02; done
          exit 1
        fi
        exec $runc "$@"
        """);
    try (var own = daemon(); var task = own.running("sleep", "1000"); var late = own.open("sleep", "1000")) {
      var creation = Await.meanwhile(
          () -> ShimClient.failure(() -> late.create(r -> r.setOptions(faulty.options().orElseThrow()))));
      Await.until("it is being undone", () -> Files.exists(faulty.beside("undoing")));
      own.kill(() -> Files.createFile(faulty.beside("go")));
      assertEquals("14 " + Redo.IN_DOUBT, creation.get(60, TimeUnit.SECONDS));
      Await.until("nothing of it is left", () -> !Files.exists(state(own, late)));
      assertEquals("RUNNING", task.state("").getStatus().name());
      faulty.mend();
      late.create(r -> r.setOptions(faulty.options().orElseThrow()));
      late.start();
      assertEquals("RUNNING", late.state("").getStatus().name());
      late.end();
    }
  }

  /** Whoever waits longest for an undoing says so in the log. */
  @Test
  void anUndoingThatHangsHoldsUpNobodyElse() throws Exception {
    var held = FaultyRunc.make(BED.directory().resolve(Names.id("hangs")), List.of("create", "delete"), """
        touch "$0.begun"
        while [ ! -e "$0.go" ]; do sleep 0.02; done
        exec $runc "$@"
        """);
    try (var own = daemon(); var task = own.running("sleep", "1000"); var late = own.open("sleep", "1000")) {
      var creation = late.creating(held.options());
      Await.until("it is being created", () -> Files.exists(held.beside("begun")));
      own.kill();
      assertEquals("RUNNING", task.state("").getStatus().name());
      String log = Files.readString(own.daemon().directory().resolve("daemon.log")) + late.bundle().log()
          + task.bundle().log();
      Files.createFile(held.beside("go"));
      assertFalse(log.contains("clean-up goes on"), log);
      assertEquals("14 " + Redo.IN_DOUBT, creation.get(60, TimeUnit.SECONDS));
      held.mend();
      late.create(r -> r.setOptions(held.options().orElseThrow()));
      late.start();
      assertEquals("RUNNING", late.state("").getStatus().name());
      late.end();
    }
  }
}
