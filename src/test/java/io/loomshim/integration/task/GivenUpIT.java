package io.loomshim.integration.task;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Criu;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.LooseCall;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import io.loomshim.proto.runc.CheckpointOptions;
import io.loomshim.proto.task.CheckpointTaskRequest;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.PauseRequest;
import io.loomshim.proto.task.ResumeRequest;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.task.UpdateTaskRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A call that is given up by its client in the middle of what runc does: State says what is true then, and the same
 * call made again succeeds.
 */
@Timeout(120)
final class GivenUpIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  /** Of a checkpoint; CRIU begins to write well before. */
  private static final Duration DEADLINE = Await.seconds(3);
  private static final String EXEC = "e1";
  private static final String RUNNING = "RUNNING, runs";
  private static final String PAUSED = "PAUSED, frozen";
  /** What runc does before its end is waited for; then it hangs. */
  private static final String NOTHING = "";
  private static final String ITS_WORK = "$runc \"$@\" > /dev/null 2>&1";
  /** Another command of runc for the same container. */
  private static final String OTHER = "eval id=\\${$#}; all=$*; $runc ${all%%%% %s *} %s $id || exit 9";

  /** A call that is given up: what is so before, which command hangs after what, and what must be so afterwards. */
  private enum Case {
    A_PAUSE_BEFORE_ITS_WORK(RUNNING, "pause", NOTHING, RUNNING),
    A_PAUSE_AFTER_ITS_WORK(RUNNING, "pause", ITS_WORK, RUNNING),
    A_PAUSE_THAT_CANNOT_BE_UNDONE(RUNNING, "pause", ITS_WORK + "; touch \"$0.fails\"", PAUSED),
    A_RESUME_BEFORE_ITS_WORK(PAUSED, "resume", NOTHING, PAUSED),
    A_RESUME_AFTER_ITS_WORK(PAUSED, "resume", ITS_WORK, RUNNING),
    AN_UPDATE_THAT_HAS_FROZEN(RUNNING, "update", OTHER.formatted("update", "pause"), RUNNING),
    AN_UPDATE_THAT_HAS_THAWED(PAUSED, "update", OTHER.formatted("update", "resume"), PAUSED),
    A_CHECKPOINT_THAT_HAS_FROZEN(RUNNING, "checkpoint", OTHER.formatted("checkpoint", "pause"), RUNNING),
    A_CHECKPOINT_THAT_HAS_THAWED(PAUSED, "checkpoint", OTHER.formatted("checkpoint", "resume"), PAUSED),
    A_CHECKPOINT_THAT_CANNOT_BE_UNDONE(PAUSED, "checkpoint",
        OTHER.formatted("checkpoint", "resume") + "; touch \"$0.fails\"", RUNNING),
    A_START_BEFORE_ITS_WORK("CREATED, runs", "start", NOTHING, "CREATED, runs"),
    A_START_AFTER_ITS_WORK("CREATED, runs", "start", ITS_WORK, RUNNING),
    AN_EXEC_BEFORE_ITS_WORK(RUNNING, "exec", NOTHING, RUNNING + ", CREATED"),
    AN_EXEC_AFTER_ITS_WORK(RUNNING, "exec", ITS_WORK, RUNNING + ", CREATED"),
    A_DELETE_AFTER_ITS_WORK(RUNNING, "delete", ITS_WORK, "STOPPED");

    final String before;
    final String command;
    final String work;
    final String after;

    Case(String before, String command, String work, String after) {
      this.before = before;
      this.command = command;
      this.work = work;
      this.after = after;
    }

    String method() {
      return this.command.equals("exec") ? "Start"
          : command.substring(0, 1).toUpperCase(Locale.ROOT) + command.substring(1);
    }

    MessageLite request(ShimClient task) {
      String id = task.id();
      return switch (command) {
        case "pause" -> PauseRequest.newBuilder().setId(id).build();
        case "resume" -> ResumeRequest.newBuilder().setId(id).build();
        case "update" -> UpdateTaskRequest.newBuilder().setId(id)
            .setResources(Shims.any("Resources", Empty.getDefaultInstance())).build();
        case "checkpoint" -> CheckpointTaskRequest.newBuilder().setId(id)
            .setPath(BED.directory().resolve("image-" + id).toString()).build();
        case "delete" -> DeleteRequest.newBuilder().setId(id).build();
        default -> StartRequest.newBuilder().setId(id).setExecId(command.equals("exec") ? EXEC : "").build();
      };
    }
  }

  private static boolean frozen(ShimClient task) {
    int pid = task.state("").getPid();
    String word = Shim.UNIFIED ? Proc.cgroupFile(pid, "", "cgroup.freeze")
        : Proc.cgroupFile(pid, "freezer", "freezer.state");
    return !word.equals("0") && !word.equals("THAWED");
  }

  /** What State says, and what is so. */
  private static String truth(ShimClient task, boolean exec) {
    String status = task.state("").getStatus().toString();
    return status.equals("STOPPED") ? status : status + (frozen(task) ? ", frozen" : ", runs")
        + (exec ? ", " + task.state(EXEC).getStatus() : "");
  }

  /** What became of one case; empty if all was as it should be. */
  private static String story(Case given) {
    var runc = FaultyRunc.make(BED.directory().resolve(Names.id("slow-runc")),
        List.of("pause", "resume", "update", "checkpoint", "start", "exec", "delete"), """
        if [ -e "$0.fails" ]; then exit 1; fi
        case " $* " in *' %s '*) ;; *) exec $runc "$@" ;; esac
        if [ ! -e "$0.armed" ]; then exec $runc "$@"; fi
        %s
        touch "$0.done"; sleep 1000 & wait
        """.formatted(given.command, given.work.isEmpty() ? ":" : given.work));
    try (var task = BED.shims().start(SHIM, BED.shims().bundle(Names.id("given"), "sleep", "1000"), runc.options())) {
      task.create(request -> request.setOptions(runc.options().orElseThrow()));
      boolean exec = given.command.equals("exec");
      if (!given.before.startsWith("CREATED")) {
        task.start();
      }
      if (given.before.equals(PAUSED)) {
        task.pause();
      }
      if (exec) {
        task.exec(EXEC, "sleep", "1000");
      }
      if (given.command.equals("delete")) {
        task.kill(ShimClient.KILL, "");
        task.await("");
      } else {
        assertEquals(given.before, truth(task, false));
      }
      Files.createFile(runc.beside("armed"));
      try (var call = LooseCall.send(task, given.method(), given.request(task), Duration.ZERO)) {
        Await.until("runc has done its work", () -> Files.exists(runc.beside("done")));
        assertTrue(call != null);
      }
      Await.within(Await.LIMIT, () -> truth(task, exec).equals(given.after));
      String seen = truth(task, exec);
      runc.mend();
      String again = again(given, task);
      if (given.after.equals(PAUSED)) {
        failure(task::resume);
      }
      if (!given.command.equals("delete")) {
        assertEquals(137, task.end());
      }
      return seen.equals(given.after) && again.equals("no error: ") ? "" : "State was " + seen + ", then: " + again;
    } catch (IOException | AssertionError | RuntimeException e) {
      return e.toString();
    }
  }

  private static String again(Case given, ShimClient task) {
    return switch (given.command) {
      case "checkpoint" -> "no error: "; // takes CRIU
      case "pause" -> failure(task::pause);
      case "resume" -> failure(task::resume);
      case "update" -> failure(() -> task.update("{}"));
      case "delete" -> failure(() -> task.delete(""));
      case "exec" -> failure(() -> task.start(EXEC));
      default -> failure(task::start);
    };
  }

  @Test
  void afterwardsStateSaysWhatIsTrueAndTheCallCanBeMadeAgain() throws Exception {
    Shim.assumeOurs("the Go shim says what it has meant to do");
    var wrong = new EnumMap<Case, String>(Case.class);
    var stories = new EnumMap<Case, CompletableFuture<String>>(Case.class);
    for (Case given : Case.values()) {
      stories.put(given, together(() -> story(given)));
    }
    for (Case given : Case.values()) {
      String told = stories.get(given).get(60, TimeUnit.SECONDS);
      if (!told.isEmpty()) {
        wrong.put(given, told);
      }
    }
    assertEquals(Map.of(), wrong);
  }

  private static CompletableFuture<String> together(Supplier<String> story) {
    return CompletableFuture.supplyAsync(story, run -> Thread.ofVirtual().start(run));
  }

  /** Holds so much memory that CRIU writes for a while, and says when it does. */
  private static final String HOLDER = "dd if=/dev/zero bs=100M count=1 | { head -c 1 > /run/n; exec sleep 1000; }";

  /** CRIU stops as soon as it has begun to write what the processes have in memory, and says which process it is. */
  private static FaultyRunc withSlowCriu(Path image) {
    var runc = FaultyRunc.make(BED.directory(), "checkpoint", "PATH=$0.bin:$PATH exec $runc \"$@\"");
    try {
      Path criu = Files.createDirectory(runc.beside("bin")).resolve("criu");
      Files.writeString(criu, """
          #!/bin/sh
          PATH=${PATH#*:}
          ( exec 3>&-
            renice -n -20 -p $(exec sh -c 'echo $PPID')
            until [ -e %1$s/pages-1.img ]; do [ -d /proc/$$ ] || exit; sleep 0.002; done
            kill -STOP $$ && echo $$ > %2$s ) > /dev/null 2>&1 &
          exec criu "$@"
          """.formatted(image, runc.beside("stopped")));
      assertTrue(criu.toFile().setExecutable(true));
      return runc;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What State says after a checkpoint that was given up while CRIU was at work. */
  private static String criuStopped(Shim shim, boolean pause) {
    Path image = Scratch.directory("image").resolve("i");
    var runc = withSlowCriu(image);
    try (var task = BED.shims().start(shim, BED.shims().bundle(Names.id("big"), "sh", "-c", HOLDER), runc.options())) {
      int pid = task.create(request -> request.setOptions(runc.options().orElseThrow()));
      task.start();
      Await.until("the memory is in use", () -> Files.exists(Path.of("/proc/" + pid + "/root/run/n")));
      if (pause) {
        task.pause();
      }
      var options = Shims.any("containerd.runc.v1.CheckpointOptions", CheckpointOptions.getDefaultInstance());
      var request = CheckpointTaskRequest.newBuilder().setId(task.id()).setPath(image.toString())
          .setOptions(options).build();
      try (var call = LooseCall.send(task, "Checkpoint", request, DEADLINE)) {
        var status = call.status();
        assertTrue(Files.exists(runc.beside("stopped")), () -> "CRIU has not been stopped: " + status);
      }
      long stopped = Long.parseLong(Files.readString(runc.beside("stopped")).strip());
      String state = task.state("").getStatus().toString();
      if (shim.ours()) {
        Await.until("criu has ended", () -> !Proc.alive(stopped));
        assertEquals(pause, frozen(task));
      } else {
        Proc.kill(stopped); // goes on with the dump there
      }
      failure(task::resume);
      if (shim.ours()) {
        task.exec(EXEC, "sh", "-c", "exit 3");
        task.start(EXEC);
        assertEquals(3, task.await(EXEC).getExitStatus());
      }
      assertEquals(137, task.end());
      return state;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      Scratch.remove(image.getParent());
    }
  }

  @Test
  void ofARealCheckpointToo() throws Exception {
    Criu.assumeItWorks();
    var seen = new ArrayList<CompletableFuture<String>>();
    for (Shim shim : List.of(Shim.reference(), SHIM)) {
      seen.add(together(() -> criuStopped(shim, true)));
      seen.add(together(() -> criuStopped(shim, false)));
    }
    for (int i = 0; i < seen.size(); i++) {
      assertEquals(i % 2 == 0 ? "PAUSED" : "RUNNING", seen.get(i).get(60, TimeUnit.SECONDS));
    }
  }
}
