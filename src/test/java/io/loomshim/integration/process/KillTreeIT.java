package io.loomshim.integration.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The setting {@code kill_exec_tree}: what an exec has started ends with it. */
final class KillTreeIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final String PROBE = "probe";
  private static final AtomicInteger NEXT = new AtomicInteger(700_000 + (int) ProcessHandle.current().pid() % 10_000);

  private Path directory;
  private Shims shims;
  /** Seconds that nobody else sleeps for: processes of the test are found by them. */
  private final String mark = Integer.toString(NEXT.incrementAndGet());

  @BeforeEach
  void prepare() throws IOException {
    Shim.assumeOurs("the Go shims have no such setting");
    directory = Scratch.directory("kt");
    shims = new Shims(directory, BED.rootfs());
    Install.get().configure(Map.of("kill_exec_tree", "true"));
  }

  @AfterEach
  void end() {
    if (shims != null) {
      Install.get().configure(Map.of("kill_exec_tree", "false"));
      shims.remove();
    }
  }

  private ShimClient running(Optional<Any> options) {
    var task = shims.start(Shim.tested(), shims.bundle(Names.id("tree"), "sleep", "1000"), options);
    task.create(request -> options.isPresent() ? request.setOptions(options.get()) : request);
    task.start();
    return task;
  }

  private ShimClient running() {
    return running(Optional.empty());
  }

  /** Starts the exec; {@code N} in the script is the mark. */
  private void probe(ShimClient task, String script) {
    task.exec(PROBE, "sh", "-c", script.replace("N", mark));
    task.start(PROBE);
  }

  private List<Proc.Info> marked() {
    return Proc.all().values().stream().filter(info -> info.commandLine().equals("sleep " + mark) && !info.zombie())
        .toList();
  }

  private void awaitMarked(int count) {
    Await.until(count + " processes run", () -> marked().size() >= count);
  }

  /** What is left at the moment at which a client hears of the end. */
  private int leftAfterKill(ShimClient task) {
    task.kill(ShimClient.KILL, PROBE);
    assertEquals(137, task.await(PROBE).getExitStatus());
    return marked().size();
  }

  /** The cgroups that were made for execs, of any container of this test. */
  private long cgroups() {
    try (Stream<Path> all = Files.walk(Path.of(Shim.UNIFIED ? "/sys/fs/cgroup" : "/sys/fs/cgroup/freezer"), 3)) {
      return all.filter(path -> path.toString().contains("/" + shims.namespace() + "/")
          && path.getFileName().toString().startsWith("loom-exec-")).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aProbeThatIsKilledTakesWhatItHasStartedAlong() {
    try (var task = running()) {
      task.exec("other", "sleep", "1000");
      int other = task.start("other");
      probe(task, "sleep N & wait");
      awaitMarked(1);
      assertEquals(2, cgroups());
      assertEquals(0, leftAfterKill(task));
      assertEquals(1, cgroups());
      assertTrue(Proc.alive(other));
      assertEquals("RUNNING", task.state("").getStatus().toString());
      task.delete(PROBE);
      task.end();
      assertEquals(0, cgroups());
    }
  }

  @Test
  void neitherASessionOfTheirOwnNorOtherParentsNorIgnoredSignalsSaveItsProcesses() {
    try (var task = running()) {
      probe(task, "setsid sleep N & (setsid sh -c 'sleep N & sleep N & wait' &) ; "
          + "(trap '' TERM HUP INT; exec sleep N) & (sleep N &) ; exec sleep N");
      awaitMarked(6);
      assertEquals(0, leftAfterKill(task));
      task.end();
    }
  }

  @Test
  void oneThatStartsProcessesAllTheTimeIsEndedAsAWhole() {
    try (var task = running()) {
      probe(task, "while :; do (setsid sleep N &); done");
      awaitMarked(30);
      assertEquals(0, leftAfterKill(task));
      task.end();
    }
  }

  @Test
  void whatAnExecLeavesBehindWhenItEndsByItselfEndsToo() {
    try (var task = running()) {
      probe(task, "setsid sleep N & exit 3");
      assertEquals(3, task.await(PROBE).getExitStatus());
      assertEquals(0, marked().size());
      assertEquals(0, cgroups());
      task.end();
    }
  }

  @Test
  void limitsAndTheListOfProcessesStayThoseOfTheContainer() {
    try (var task = running()) {
      probe(task, "sleep N & wait");
      awaitMarked(1);
      assertEquals(3, task.pids().getProcessesCount());
      task.pause();
      task.resume();
      assertEquals(0, leftAfterKill(task));
      task.end();
    }
  }

  @Test
  void anIdCanBeUsedAgainAndAnExecThatDoesNotStartLeavesNoCgroup() {
    try (var task = running()) {
      for (int i = 0; i < 3; i++) {
        probe(task, "exit 0");
        task.await(PROBE);
        task.delete(PROBE);
      }
      task.exec("wrong", "/no/such/program");
      assertTrue(ShimClient.failure(() -> task.start("wrong")).contains("OCI runtime exec failed"));
      assertEquals(0, cgroups());
      task.end();
    }
  }

  /** The limit of the setting: who may write to the cgroups of the host moves where it likes. */
  @Test
  void aProcessThatWasMovedToAnotherCgroupEscapes() throws Exception {
    try (var task = running()) {
      probe(task, "sleep N & wait");
      awaitMarked(1);
      long pid = marked().getFirst().pid();
      Path above = Path.of(Shim.UNIFIED ? "/sys/fs/cgroup" : "/sys/fs/cgroup/freezer", shims.namespace(), task.id());
      Files.writeString(above.resolve("cgroup.procs"), Long.toString(pid));
      assertEquals(1, leftAfterKill(task));
      task.end();
      Await.until("it ends with the container", () -> marked().isEmpty());
    }
  }

  @Test
  void withoutTheSettingItLivesOnAsWithTheGoShim() {
    Install.get().configure(Map.of("kill_exec_tree", "false"));
    Differential.same(shim -> {
      try (var task = shims.start(shim, shims.bundle(Names.id("tree"), "sleep", "1000"))) {
        task.create();
        task.start();
        probe(task, "sleep N & wait");
        awaitMarked(1);
        int left = leftAfterKill(task);
        task.end();
        Await.until("it ends with the container", () -> marked().isEmpty());
        return left;
      }
    });
  }

  /** An older runc, whose help does not name the option; the exec must run all the same, and the log say so. */
  @Test
  void whereTheRuntimeCannotDoItTheExecRunsAndTheLogSaysSo() {
    var older = FaultyRunc.options(directory, "exec",
        "case \" $* \" in *' --help '*) echo no such option ;; *) exec runc \"$@\" ;; esac");
    try (var task = running(older)) {
      probe(task, "sleep N & exit 0");
      assertEquals(0, task.await(PROBE).getExitStatus());
      awaitMarked(1); // the shell may end before its child has become sleep
      Await.until("it is logged",
          () -> task.bundle().log().contains("msg=\"kill_exec_tree has no effect on this exec\""));
      assertEquals(0, cgroups());
      task.end();
    }
  }
}
