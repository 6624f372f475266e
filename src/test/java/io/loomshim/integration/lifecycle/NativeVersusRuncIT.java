package io.loomshim.integration.lifecycle;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Docker;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.NativeSide;
import io.loomshim.integration.harness.OciRuntime;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A daemon that starts and deletes containers without runc, and one that does not: after each step of a container's
 * life all that can be seen of it is the same, and what others do with runc has the same effect. What is not known to
 * be the same is left to runc.
 */
@Tag("any-jdk")
@Timeout(120)
final class NativeVersusRuncIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final List<NativeSide> SIDES = new ArrayList<>();

  /** Where it depends on the version of runc. */
  private static final int UNCOUNTED = -1;

  /** What is done with a container, and what is seen then. */
  private interface Story {
    List<String> of(NativeSide side) throws Exception;
  }

  @BeforeAll
  static void startTheDaemons() {
    Shim.assumeOurs("the Go shims always run runc");
    var reason = NativeSide.notRunc();
    assumeTrue(reason.isEmpty(), reason.orElse(""));
    SIDES.add(new NativeSide(BED.rootfs(), false));
    SIDES.add(new NativeSide(BED.rootfs(), true));
  }

  @AfterEach
  void endTheContainers() {
    SIDES.forEach(NativeSide::endTasks);
  }

  @AfterAll
  static void endTheDaemons() {
    SIDES.forEach(NativeSide::close);
    SIDES.clear();
  }

  /** The story gives the same on both sides; {@code starts} and {@code deletes} of it need no runc on the one. */
  private static void same(int starts, int deletes, Story story) throws Exception {
    same(SIDES, starts, deletes, story);
  }

  private static void same(List<NativeSide> sides, int starts, int deletes, Story story) throws Exception {
    List<List<String>> seen = new ArrayList<>();
    for (NativeSide side : sides) {
      long started = side.used(NativeSide.START);
      long deleted = side.used(NativeSide.DELETE);
      seen.add(story.of(side));
      int factor = side.natively() ? 1 : 0;
      assertEquals(starts * factor, side.used(NativeSide.START) - started, "starts without runc");
      if (deletes != UNCOUNTED) {
        assertEquals(deletes * factor, side.used(NativeSide.DELETE) - deleted, "deletes without runc");
      }
    }
    for (int i = 0; i < Math.min(seen.get(0).size(), seen.get(1).size()); i++) {
      assertEquals(seen.get(0).get(i), seen.get(1).get(i));
    }
    assertEquals(seen.get(0).size(), seen.get(1).size());
  }

  private static void stop(ShimClient task) {
    task.kill(ShimClient.KILL, "");
    task.await("");
  }

  /** Creates, starts, stops and deletes; what is seen. */
  private static List<String> life(NativeSide side, ShimClient task) {
    var seen = new ArrayList<String>();
    seen.add(failure(task::create));
    seen.addAll(side.view(task));
    seen.add(failure(task::start));
    seen.addAll(side.view(task));
    stop(task);
    seen.addAll(side.view(task));
    seen.add(failure(() -> task.delete("")));
    seen.addAll(side.view(task));
    seen.addAll(side.events(task, "/tasks/delete"));
    return seen;
  }

  @Test
  void everyStepOfALifeLooksTheSame() throws Exception {
    same(1, 1, side -> life(side, side.open("sleep", "1000")));
  }

  @Test
  void aTerminalMakesNoDifference() throws Exception {
    same(1, 1, side -> {
      var bundle = side.shims().bundle(Names.id("native"), "sleep", "1000").withTerminal();
      Path out = Bundle.fifo(bundle.path().resolve("out"));
      var reader = Exec.start(side.daemon().directory(), new Exec.Setting(bundle.path(), Map.of()),
          List.of("sh", "-c", "exec cat < out"));
      try {
        var task = side.open(bundle);
        task.create(request -> request.setTerminal(true).setStdout(out.toString()));
        var seen = new ArrayList<String>();
        seen.add(failure(task::start));
        stop(task);
        seen.add(failure(() -> task.delete("")));
        return seen;
      } finally {
        reader.kill();
      }
    });
  }

  @Test
  void othersCanUseRuncAfterEachStep() throws Exception {
    same(1, 1, side -> {
      var seen = new ArrayList<String>();
      var task = side.open("sleep", "1000");
      task.create();
      seen.add(side.runc(task, "exec", task.id(), "echo", "created"));
      task.start();
      seen.add(side.runc(task, "start", task.id()));
      seen.add(side.runc(task, "exec", task.id(), "echo", "running"));
      seen.add(side.runc(task, "update", "--pids-limit", "50", task.id()));
      seen.add(side.runc(task, "delete", task.id()));
      seen.add(side.runc(task, "kill", task.id(), "0"));
      stop(task);
      seen.add(side.runc(task, "start", task.id()));
      seen.add(side.runc(task, "exec", task.id(), "echo", "stopped"));
      seen.add(side.runc(task, "kill", task.id(), "KILL"));
      task.delete("");
      seen.add(side.runc(task, "start", task.id()));
      seen.add(side.runc(task, "delete", task.id()));
      seen.add(side.runc(task, "delete", "--force", task.id()));
      return seen;
    });
  }

  @Test
  void othersCanPauseAndResume() throws Exception {
    assumeTrue(!OciRuntime.version().contains("rc93"), "runc 1.0.0-rc93 cannot freeze one container in 25");
    same(1, 1, side -> {
      var seen = new ArrayList<String>();
      var task = side.open("sleep", "1000");
      task.create();
      seen.add(side.runc(task, "pause", task.id()));
      seen.add(failure(task::start));
      seen.addAll(side.view(task));
      seen.add(side.runc(task, "resume", task.id()));
      seen.add(failure(task::start));
      seen.add(side.runc(task, "pause", task.id()));
      seen.addAll(side.view(task));
      seen.add(side.runc(task, "resume", task.id()));
      stop(task);
      seen.add(failure(() -> task.delete("")));
      seen.addAll(side.view(task));
      return seen;
    });
  }

  @Test
  void whatIsAskedForTwiceFailsInTheSameWords() throws Exception {
    same(1, 1, side -> {
      var seen = new ArrayList<String>();
      var task = side.open("sleep", "1000");
      seen.add(failure(task::start));
      task.create();
      task.start();
      seen.add(failure(task::start));
      seen.add(failure(() -> task.delete("")));
      stop(task);
      seen.add(failure(task::start));
      task.delete("");
      seen.add(failure(task::start));
      seen.add(failure(() -> task.delete("")));
      seen.addAll(side.events(task, "/tasks/delete"));
      return seen;
    });
  }

  /** runc kills its init, for which it takes a tenth of a second. */
  @Test
  void oneThatWasNeverStartedIsLeftToRunc() throws Exception {
    same(0, 0, side -> {
      var task = side.open("sleep", "1000");
      task.create();
      var seen = new ArrayList<String>(List.of(failure(() -> task.delete(""))));
      seen.addAll(side.view(task));
      seen.addAll(side.events(task, "/tasks/delete"));
      return seen;
    });
  }

  @Test
  void oneThatOthersHaveStartedIsTakenForStarted() throws Exception {
    same(0, 1, side -> {
      var task = side.open("sleep", "1000");
      task.create();
      var seen = new ArrayList<String>();
      seen.add(side.runc(task, "start", task.id()));
      seen.add(failure(task::start));
      seen.addAll(side.view(task));
      stop(task);
      seen.add(failure(() -> task.delete("")));
      return seen;
    });
  }

  @Test
  void oneThatOthersHaveDeletedIsGone() throws Exception {
    same(1, 0, side -> {
      var task = side.open("sleep", "1000");
      task.create();
      task.start();
      var seen = new ArrayList<String>();
      seen.add(side.runc(task, "delete", "--force", task.id()));
      task.await("");
      seen.add(failure(() -> task.delete("")));
      seen.addAll(side.view(task));
      return seen;
    });
  }

  /**
   * A start waits for an init that stands still, and is told its end. The words depend on whether the init was at the
   * fifo at that moment, which no test can decide: runc has two of them, and for the one it counts as started.
   */
  @Test
  void anInitThatEndsDuringItsStartIsToldInTheWordsOfRunc() throws Exception {
    same(0, 1, side -> {
      var task = side.open("sleep", "1000");
      int pid = task.create();
      Proc.signal(pid, "STOP");
      var start = CompletableFuture.supplyAsync(() -> failure(task::start), run -> Thread.ofVirtual().start(run));
      Await.until("the start waits", () -> side.runs("start"));
      Proc.kill(pid);
      String told = start.get(30, TimeUnit.SECONDS);
      boolean started = told.equals("no error: ");
      assertTrue(started || told.equals("2 OCI runtime start failed: container process is already dead"), told);
      int status = task.await("").getExitStatus();
      String deleted = failure(() -> task.delete(""));
      var events = new ArrayList<>(side.events(task, "/tasks/delete"));
      assertEquals(started, events.remove("/tasks/start -1 true"));
      return List.of(status + "", deleted, String.join(",", events));
    });
  }

  @Test
  void anInitThatHasEndedBeforeItsStartIsToldInTheSameWords() throws Exception {
    same(0, 1, side -> {
      var task = side.open("sleep", "1000");
      Proc.kill(task.create());
      task.await("");
      return List.of(failure(task::start), failure(() -> task.delete("")),
          String.join(",", side.events(task, "/tasks/delete")));
    });
  }

  /** What an exec in no pid namespace of the container has left there, for example. */
  @Test
  void aForeignProcessInItsCgroupIsLeftToRunc() throws Exception {
    same(1, UNCOUNTED, side -> {
      var task = side.open("sleep", "1000");
      task.create();
      task.start();
      var foreign = new ProcessBuilder("sleep", "1000").start();
      try {
        Files.writeString(side.anyCgroup(task).resolve("cgroup.procs"), Long.toString(foreign.pid()));
        stop(task);
        long deleted = side.used(NativeSide.DELETE);
        var seen = new ArrayList<String>(List.of(failure(() -> task.delete("")).replaceAll("map\\[.*", "map")));
        assertEquals(deleted, side.used(NativeSide.DELETE));
        seen.add("foreign process alive: " + foreign.isAlive());
        return seen;
      } finally {
        foreign.destroyForcibly().waitFor();
        failure(() -> task.delete(""));
        Await.until("the cgroup is removed", () -> removed(side.anyCgroup(task)));
      }
    });
  }

  private static boolean removed(Path cgroup) {
    try {
      Files.deleteIfExists(cgroup);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void cgroupsBelowItsOwnAreRemovedWithIt() throws Exception {
    same(1, 1, side -> {
      var task = side.open("sleep", "1000");
      task.create();
      task.start();
      Files.createDirectories(side.anyCgroup(task).resolve("below/further"));
      stop(task);
      var seen = new ArrayList<String>(List.of(failure(() -> task.delete(""))));
      seen.addAll(side.view(task));
      return seen;
    });
  }

  @Test
  void aSharedPidNamespaceIsLeftToRunc() throws Exception {
    same(1, 0, side -> life(side, side.openWith("{\"type\": \"pid\"}, ", "", "sleep", "1000")));
  }

  @Test
  void thePidNamespaceOfAnotherContainerIsLeftToRunc() throws Exception {
    same(2, 1, side -> {
      var other = side.open("sleep", "1000");
      int pid = other.create();
      other.start();
      var task = side.openWith("{\"type\": \"pid\"}", "{\"type\": \"pid\", \"path\": \"/proc/" + pid + "/ns/pid\"}",
          "sleep", "1000");
      var seen = life(side, task);
      stop(other);
      other.delete("");
      return seen;
    });
  }

  @Test
  void hooksRunAsOftenAndInTheSameOrder() throws Exception {
    same(0, 0, side -> {
      Path said = side.daemon().directory().resolve(Names.id("said"));
      var hooks = new StringBuilder("\"hooks\": {");
      for (String hook : List.of("createRuntime", "poststart", "poststop")) {
        hooks.append(hooks.length() > 10 ? "," : "").append("\"" + hook + "\": [{\"path\": \"/bin/sh\", \"args\": "
            + "[\"sh\", \"-c\", \"cat > /dev/null; echo " + hook + " >> " + said + "\"]}]");
      }
      var task = side.openWith("\"root\":", hooks + "}, \"root\":", "sleep", "1000");
      var seen = life(side, task);
      seen.addAll(Files.readAllLines(said));
      assertTrue(seen.contains("poststop"), () -> String.join("\n", seen));
      return seen;
    });
  }

  @Test
  void aScriptInThePlaceOfRuncRunsForEachCommand() throws Exception {
    same(0, 0, side -> {
      Path program = Files.createDirectory(side.daemon().directory().resolve(Names.id("bin"))).resolve("runc");
      var runc = FaultyRunc.make(program, List.of("start", "delete"), "echo $* >> \"$0.said\"; exec $runc \"$@\"");
      var task = side.open("sleep", "1000");
      task.create(request -> request.setOptions(runc.options().orElseThrow()));
      task.start();
      stop(task);
      task.delete("");
      return Files.readAllLines(runc.beside("said")).stream().map(line -> line.replaceAll(".* (\\w+) .*", "$1"))
          .toList();
    });
  }

  /** With daemons of its own, as they may keep a copy of the program. */
  @Test
  void aRuntimeOfAnotherNameRunsForEachCommand() throws Exception {
    Path program = Files.copy(Path.of(which(OciRuntime.program())), BED.directory().resolve(Names.id("my-runc")),
        StandardCopyOption.COPY_ATTRIBUTES);
    try (var side = new NativeSide(BED.rootfs(), true)) {
      long started = side.used(NativeSide.START);
      long deleted = side.used(NativeSide.DELETE);
      var task = side.open("sleep", "1000");
      task.create(request -> request.setOptions(side.options(program.toString())));
      task.start();
      stop(task);
      task.delete("");
      assertEquals(started, side.used(NativeSide.START));
      assertEquals(deleted, side.used(NativeSide.DELETE));
    }
  }

  private static String which(String program) {
    return Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of("PATH", Containerd.path())),
        List.of("sh", "-c", "command -v " + program)).await(Await.LIMIT).ok().text().strip();
  }

  /** Docker has one of its own. */
  @Test
  void anotherRootOfRuncMakesNoDifference() throws Exception {
    var sides = new ArrayList<NativeSide>();
    try {
      for (boolean natively : List.of(false, true)) {
        Path root = Files.createDirectory(BED.directory().resolve(Names.id("root")));
        sides.add(new NativeSide(BED.rootfs(), natively, root));
      }
      same(sides, 1, 1, side -> {
        var task = side.open("sleep", "1000");
        var seen = new ArrayList<String>();
        task.create(request -> request.setOptions(side.options("")));
        seen.addAll(side.view(task));
        task.start();
        seen.addAll(side.view(task));
        stop(task);
        task.delete("");
        seen.addAll(side.view(task));
        return seen;
      });
    } finally {
      sides.forEach(NativeSide::close);
    }
  }

  /** A daemon that dies in the middle leaves what runc can remove, as containerd has the launcher do. */
  @Test
  void whatADaemonThatIsKilledDuringAStartLeavesCanBeRemoved() throws Exception {
    for (boolean natively : List.of(false, true)) {
      try (var side = new NativeSide(BED.rootfs(), natively)) {
        var task = side.open("sleep", "1000");
        int pid = task.create();
        Proc.signal(pid, "STOP");
        CompletableFuture.supplyAsync(() -> failure(task::start), run -> Thread.ofVirtual().start(run));
        Await.until("the start waits", () -> side.runs("start"));
        Proc.kill(side.daemon().pid());
        Await.until("the daemon has ended", () -> !side.daemon().daemon().alive());
        side.shims().delete(Shim.tested(), task.bundle()).ok();
        Await.until("the init has ended", () -> !Proc.alive(pid));
        assertEquals(List.of(), side.left(task));
      }
    }
  }
}
