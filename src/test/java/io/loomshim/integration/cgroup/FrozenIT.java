package io.loomshim.integration.cgroup;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OciRuntime;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Containers that somebody else than the shim's clients has frozen, or thawed. */
final class FrozenIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static ShimClient running(Shim shim) {
    var task = BED.shims().start(shim, BED.shims().bundle(Names.id("frozen"), "sleep", "1000"));
    task.create();
    task.start();
    // runc's start returns before its init has become the program; one that is frozen then has hung runc's kill
    long pid = task.state("").getPid();
    Await.until("it runs its program", () -> Proc.info(pid).orElseThrow().commandLine().equals("sleep 1000"));
    return task;
  }

  private static String status(ShimClient task) {
    return task.state("").getStatus().toString();
  }

  /** Without a runtime, as a script of an administrator does. */
  private static void freeze(ShimClient task, boolean on) {
    Path above = Path.of(Shim.UNIFIED ? "/sys/fs/cgroup" : "/sys/fs/cgroup/freezer", BED.shims().namespace(),
        task.id());
    try {
      Files.writeString(above.resolve(Shim.UNIFIED ? "cgroup.freeze" : "freezer.state"),
          Shim.UNIFIED ? (on ? "1" : "0") : (on ? "FROZEN" : "THAWED"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int killed(ShimClient task) {
    task.kill(ShimClient.KILL, "");
    int status = task.await("").getExitStatus();
    task.delete("");
    return status;
  }

  /** The Go shims leave it to the runtime. On cgroup v1 crun and runc 1.0 thaw nothing: there only ours is tried. */
  private static int same(ToIntFunction<Shim> scenario) {
    boolean thaws = Shim.UNIFIED || !OciRuntime.version().matches("(?s)crun.*|runc version 1\\.0\\..*");
    return thaws ? Differential.same(scenario::applyAsInt) : scenario.applyAsInt(Shim.tested());
  }

  @Test
  void aContainerThatWasPausedByHandDiesOfAKill() {
    int status = same(shim -> {
      try (var task = running(shim)) {
        BED.runc("pause", task.id());
        return killed(task);
      }
    });
    assertEquals(137, status);
  }

  @Test
  void aContainerThatWasFrozenByItsCgroupDiesOfAKillToAll() {
    int status = same(shim -> {
      try (var task = running(shim)) {
        freeze(task, true);
        task.killAll(ShimClient.KILL);
        int ended = task.await("").getExitStatus();
        task.delete("");
        return ended;
      }
    });
    assertEquals(137, status);
  }

  @Test
  void aContainerThatWasCreatedAndThenPausedDiesOfAKill() {
    int status = same(shim -> {
      try (var task = BED.shims().start(shim, BED.shims().bundle(Names.id("frozen"), "sleep", "1000"))) {
        task.create();
        freeze(task, true);
        return killed(task);
      }
    });
    assertEquals(137, status);
  }

  @Test
  void aPausedContainerIsKilledByOneCallWhateverTheRuntimeDoesAboutTheFreezer() {
    Shim.assumeOurs("the Go shims leave it to the runtime, and crun thaws nothing");
    try (var task = running(Shim.tested())) {
      task.pause();
      assertEquals(137, killed(task));
    }
  }

  /** The Go shims know their own pauses only: to them such a container runs. */
  @Test
  void aContainerThatWasPausedByHandIsToldAndCanBeResumed() {
    Shim.assumeOurs("the Go shims tell RUNNING");
    try (var task = running(Shim.tested())) {
      task.exec("e1", "sleep", "1000");
      task.start("e1");
      BED.runc("pause", task.id());
      assertEquals("PAUSED", status(task));
      assertEquals("PAUSED", task.state("e1").getStatus().toString());
      assertEquals("2 cannot pause a paused container", failure(task::pause));
      assertEquals("2 cannot exec in a paused state", failure(() -> task.exec("e2", "true")));
      task.resume();
      assertEquals("RUNNING", status(task));
      BED.shims().sink().until(BED.shims().namespace(), task.id(), "/tasks/resumed");
      task.end();
    }
  }

  @Test
  void aContainerThatWasResumedByHandRunsAndCanBePausedAgain() {
    Shim.assumeOurs("the Go shims tell PAUSED");
    try (var task = running(Shim.tested())) {
      task.pause();
      BED.runc("resume", task.id());
      assertEquals("RUNNING", status(task));
      assertEquals("2 cannot resume a running process", failure(task::resume));
      task.pause();
      assertEquals("PAUSED", status(task));
      freeze(task, false);
      assertEquals("RUNNING", status(task));
      freeze(task, true);
      Await.until("it is frozen", () -> status(task).equals("PAUSED"));
      task.resume();
      assertEquals(List.of("RUNNING", 137), List.of(status(task), killed(task)));
    }
  }
}
