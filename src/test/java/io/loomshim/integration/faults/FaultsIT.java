package io.loomshim.integration.faults;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Empty;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Criu;
import io.loomshim.integration.harness.EventSink;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.proto.task.CheckpointTaskRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A runc that misbehaves, every command with every fault: the caller is told within bounded time what is wrong, the
 * container can still be ended, the same call succeeds once runc is well again, and nothing is left.
 */
@Tag("any-jdk")
@Timeout(120)
final class FaultsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  /** What runc gets here, the setting {@code runc_timeout_seconds}. */
  private static final int LIMIT_SECONDS = 3;
  /** Twice that for create, as much for its undoing, and what a busy machine adds. */
  private static final Duration SOON = Await.seconds(20);
  private static final String EXEC = "e1";
  private static ShimClient neighbour;

  /** What runc does instead of its work; {@code ends} says how it ends then, as far as that is told. */
  private enum Fault {
    HANGS("sleep 1000 & wait", ""),
    ENDS_WITH_ANY_STATUS("exit 42", "exit status 42"),
    ENDS_WITH_WORDS("echo no luck; echo none >&2; exit 255", "no luck\nnone"),
    IS_KILLED("kill -KILL $$", "exit status 137"),
    CRASHES("kill -SEGV $$", "exit status 139"),
    WRITES_GARBAGE_TO_ITS_LOG("printf 'panic: \\377 {\"level\\n\\0' >> \"$log\"; exit 1", "exit status 1"),
    FAILS_AFTER_ITS_WORK("$runc \"$@\"; exit 1", "exit status 1"),
    IS_SLOW("sleep 1; exec $runc \"$@\"", ""),
    LEAVES_A_ZOMBIE("sleep 0.01 & exec $runc \"$@\"", ""),
    LEAVES_A_CHILD_WITH_ITS_OUTPUT("sleep 1000 & echo $! >> \"$0.child\"; exec $runc \"$@\"", "");

    final String script;
    final String ends;

    Fault(String script, String ends) {
      this.script = script;
      this.ends = ends;
    }

    boolean harmless() {
      return this == IS_SLOW || this == LEAVES_A_ZOMBIE || this == LEAVES_A_CHILD_WITH_ITS_OUTPUT;
    }
  }

  /** Brings a task into a state, or does with it what is tested. */
  private interface Step {
    void with(ShimClient task);
  }

  /** A command of runc: what must have been before, the call that runs it, and what its failure is called. */
  private enum Command {
    CREATE(task -> { }, null, "OCI runtime create failed: "),
    START(task -> { }, task -> task.start(), "OCI runtime start failed: "),
    EXEC(FaultsIT::running, task -> task.start(FaultsIT.EXEC), "OCI runtime exec failed: "),
    KILL(FaultsIT::running, task -> task.kill(ShimClient.KILL, ""), "unknown error after kill: "),
    DELETE(FaultsIT::ended, task -> task.delete(""), "failed to delete task: "),
    PS(task -> { }, task -> task.pids(), ""),
    PAUSE(FaultsIT::running, ShimClient::pause, "OCI runtime pause failed: "),
    RESUME(FaultsIT::paused, ShimClient::resume, "OCI runtime resume failed: "),
    UPDATE(FaultsIT::running, task -> task.update("{\"pids\":{\"limit\":50}}"), ""),
    CHECKPOINT(FaultsIT::running, FaultsIT::checkpoint, "");

    final Step before;
    final Step call;
    final String failure;

    Command(Step before, Step call, String failure) {
      this.before = before;
      this.call = call;
      this.failure = failure;
    }

    String word() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /** One container whose runc has the fault. */
  private record Story(Command command, Fault fault, FaultyRunc runc, ShimClient task) {
    static Story begin(Command command, Fault fault) {
      var runc = FaultyRunc.make(BED.directory(), command.word(), fault.script);
      var bundle = BED.shims().bundle(Names.id("fault"), "sleep", "1000");
      return new Story(command, fault, runc, BED.shims().start(SHIM, bundle, runc.options()));
    }

    void call() {
      if (command == Command.CREATE) {
        create();
      } else {
        command.call.with(task);
      }
    }

    private void create() {
      // only of a container that is still to be restored the processes are asked of runc
      String image = command == Command.PS ? BED.directory().resolve("no-image").toString() : "";
      task.create(request -> request.setCheckpoint(image).setOptions(runc.options().orElseThrow()));
    }

    /** Meets the fault, and ends the container, after another try if {@code again}. */
    void run(boolean again) {
      if (command != Command.CREATE) {
        create();
        command.before.with(task);
      }
      String before = state();
      Instant begin = Instant.now();
      String told = failure(this::call);
      var took = Duration.between(begin, Instant.now());
      assertTrue(took.compareTo(SOON) < 0, () -> "told after " + took + ": " + told);
      checkError(told);
      if (!fault.harmless() && fault != Fault.FAILS_AFTER_ITS_WORK) {
        assertEquals(before, state());
      }
      boolean create = command == Command.CREATE;
      boolean done = fault.harmless();
      if (again && !done) {
        runc.mend();
        checkAgain(failure(this::call));
        done = true;
      }
      if (command == Command.KILL || command == Command.DELETE) {
        if (!done) {
          runc.mend();
        }
      }
      if (!create || done) {
        end();
      }
      assertEquals("5 container not created: not found", failure(() -> task.state("")));
    }

    private String state() {
      String init = ShimClient.error(() -> task.state("").getStatus());
      return command == Command.EXEC ? init + " " + ShimClient.error(() -> task.state(EXEC).getStatus()) : init;
    }

    private void checkError(String told) {
      if (command == Command.PS && fault.harmless()) {
        assertTrue(told.contains("does not exist"), told);
      } else if (fault.harmless()) {
        assertEquals("no error: ", told);
      } else if (fault == Fault.HANGS && command == Command.CHECKPOINT) {
        assertEquals("4 context deadline exceeded", told); // runc may take minutes here, this client waits for seconds
      } else if (fault == Fault.HANGS) {
        int seconds = command == Command.CREATE ? 2 * LIMIT_SECONDS : LIMIT_SECONDS;
        assertEquals("4 " + command.failure + runc.program() + " " + command.word() + " did not answer within "
            + seconds + " s and was killed", told);
      } else {
        assertTrue(told.startsWith("2 " + command.failure), told);
        assertTrue(told.contains(runc.program() + " did not terminate successfully: "), told);
        // the words of a create or exec go to the client's stderr, of which there is none here
        boolean heard = command != Command.CREATE && command != Command.EXEC || fault != Fault.ENDS_WITH_WORDS;
        boolean ps = command == Command.PS && fault == Fault.FAILS_AFTER_ITS_WORK; // runc has its own words to say
        assertTrue(told.contains(ps ? "does not exist" : heard ? fault.ends.lines().findFirst().orElse("")
            : "exit status 255"), told);
      }
    }

    private void checkAgain(String told) {
      if (command == Command.PS) {
        assertTrue(told.startsWith("2 ") && told.contains("does not exist"), told);
      } else if (command == Command.KILL && told.startsWith("5 ")) {
        assertEquals(Fault.FAILS_AFTER_ITS_WORK, fault, told);
      } else if (command == Command.CHECKPOINT && !Criu.works()) {
        assertTrue(told.startsWith("2 "), told);
      } else {
        assertEquals("no error: ", told);
      }
    }

    private void end() {
      if (command == Command.PS) {
        task.delete("");
        return;
      }
      String kill = failure(() -> task.kill(ShimClient.KILL, ""));
      assertTrue(kill.equals("no error: ") || kill.startsWith("5 "), kill);
      if (!failure(() -> task.state("")).startsWith("5 ")) {
        assertEquals(137, task.await("").getExitStatus());
        assertEquals(137, task.delete("").getExitStatus());
      }
    }

    void endChildren() {
      try {
        Path child = runc.beside("child");
        if (Files.exists(child)) {
          Files.readAllLines(child).forEach(pid -> Proc.kill(Long.parseLong(pid)));
        }
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }

  private static void running(ShimClient task) {
    task.start();
    task.exec(EXEC, "sleep", "1000");
  }

  private static void paused(ShimClient task) {
    task.start();
    task.pause();
  }

  private static void ended(ShimClient task) {
    task.start();
    task.kill(ShimClient.KILL, "");
    task.await("");
  }

  private static void checkpoint(ShimClient task) {
    var request = CheckpointTaskRequest.newBuilder().setId(task.id())
        .setPath(BED.directory().resolve("image-" + task.id()).toString()).build();
    task.call(task.service(), "Checkpoint", request, Empty.parser(), Await.seconds(LIMIT_SECONDS));
  }

  @BeforeAll
  static void startTheDaemon() {
    Shim.assumeOurs("the Go shim waits for runc without end");
    var settings = Install.get().settings();
    settings.put("runc_timeout_seconds", Integer.toString(LIMIT_SECONDS));
    Install.get().configure(settings);
    try {
      neighbour = BED.shims().start(SHIM, BED.shims().bundle(Names.id("neighbour"), "sleep", "1000"));
      neighbour.create();
      neighbour.start();
    } finally {
      Install.get().configure(Map.of("runc_timeout_seconds", "60"));
    }
  }

  @AfterAll
  static void endTheNeighbour() {
    if (neighbour != null) {
      neighbour.end();
      neighbour.close();
    }
  }

  private static ShimClient running(FaultyRunc runc, Bundle bundle) {
    var task = BED.shims().start(SHIM, bundle, runc.options());
    task.create(request -> request.setOptions(runc.options().orElseThrow()));
    task.start();
    return task;
  }

  /** A runc of this name is asked for no signal where one can be sent without it. */
  @Test
  void aContainerThatAHungPauseHasFrozenCanBeKilledEvenWhenItCannotBeThawed() throws Exception {
    Path program = Files.createDirectory(BED.directory().resolve(Names.id("bin"))).resolve("runc");
    var runc = FaultyRunc.make(program, List.of("pause", "resume"),
        "case \" $* \" in *' pause '*) $runc \"$@\" ;; esac; sleep 1000 & wait");
    try (var task = running(runc, BED.shims().bundle(Names.id("frozen"), "sleep", "1000"))) {
      assertTrue(failure(task::pause).startsWith("4 OCI runtime pause failed: "));
      assertEquals("PAUSED", task.state("").getStatus().toString());
      assertEquals(137, task.end());
    }
  }

  @Test
  void anInitThatIsKilledWhileItsStartHangsIsToldOnceThatStartHasBeenGivenUp() throws Exception {
    var runc = FaultyRunc.make(BED.directory(), "start", "sleep 1000 & wait");
    try (var task = BED.shims().start(SHIM, BED.shims().bundle(Names.id("hung"), "sleep", "1000"), runc.options())) {
      task.create(request -> request.setOptions(runc.options().orElseThrow()));
      var start = CompletableFuture.supplyAsync(() -> failure(task::start), run -> Thread.ofVirtual().start(run));
      Instant begin = Instant.now();
      assertEquals(137, task.end());
      var took = Duration.between(begin, Instant.now());
      assertTrue(took.compareTo(SOON) < 0, () -> "told after " + took);
      String told = start.get(SOON.toSeconds(), TimeUnit.SECONDS);
      assertTrue(told.startsWith("4 OCI runtime start failed: "), told);
      assertEquals(List.of("/tasks/create", "/tasks/exit", "/tasks/delete"),
          BED.shims().sink().until(BED.shims().namespace(), task.id(), "/tasks/delete").stream()
              .map(EventSink.Seen::topic).toList());
    }
  }

  @Test
  void anExitIsToldThoughRuncHangsAtKillingWhatTheInitHasLeft() {
    String id = Names.id("shared");
    String config = Bundle.config(BED.rootfs().toString(), "/" + BED.shims().namespace() + "/" + id, "sleep", "1000")
        .replace("{\"type\": \"pid\"}, ", "");
    var runc = FaultyRunc.make(BED.directory(), "kill", "sleep 1000 & wait");
    try (var task = running(runc, Bundle.create(BED.directory(), id, config))) {
      Instant begin = Instant.now();
      Proc.kill(task.state("").getPid());
      assertEquals(137, task.await("").getExitStatus());
      var took = Duration.between(begin, Instant.now());
      assertTrue(took.compareTo(SOON) < 0, () -> "told after " + took);
      assertEquals(137, task.delete("").getExitStatus());
    }
  }

  static Stream<Arguments> faults() {
    var all = new ArrayList<Arguments>();
    for (Command command : Command.values()) {
      for (Fault fault : Fault.values()) {
        all.add(Arguments.of(command, fault));
      }
    }
    return all.stream();
  }

  @ParameterizedTest(name = "when runc {0} {1}, the caller is told and the container can be ended or the call repeated")
  @MethodSource("faults")
  void aFaultOfRuncIsToldAndUndone(Command command, Fault fault) throws Exception {
    var stories = List.of(Story.begin(command, fault), Story.begin(command, fault));
    var ends = new ArrayList<CompletableFuture<Void>>();
    try {
      for (Story story : stories) {
        boolean again = !ends.isEmpty();
        ends.add(CompletableFuture.runAsync(() -> story.run(again), run -> Thread.ofVirtual().start(run)));
      }
      for (var end : ends) {
        end.get(60, TimeUnit.SECONDS);
      }
    } finally {
      stories.forEach(Story::endChildren);
      stories.forEach(story -> story.task().close());
    }
    // the neighbour is none the worse, and after its runc what others have left is reaped
    neighbour.exec("after", "sh", "-c", "exit 3");
    neighbour.start("after");
    assertEquals(3, neighbour.await("after").getExitStatus());
    neighbour.delete("after");
  }
}
