package io.loomshim.integration.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.MessageLite;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Inspect;
import io.loomshim.integration.harness.LooseCall;
import io.loomshim.integration.harness.Mounts;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import io.loomshim.json.Json;
import io.loomshim.proto.runc.CheckpointOptions;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.task.CheckpointTaskRequest;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.types.Mount;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Paths of clients into a file system that does not answer, all at once, while the daemon's virtual threads share one
 * carrier: each call ends at its deadline, and nobody else notices.
 */
@Timeout(180)
final class HungFilesIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final String ONE_CARRIER = "-Djdk.virtualThreadScheduler.parallelism=1"
      + " -Djdk.virtualThreadScheduler.maxPoolSize=1";
  /** Long enough for all that is asked meanwhile, far below every limit of our own. */
  private static final Duration DEADLINE = Await.seconds(10);
  /** After the deadline, for what is taken back. */
  private static final Duration SOON = Await.seconds(8);
  /** State takes 0.1 ms, on a busy machine longer; a held carrier would make it wait for {@link #DEADLINE}. */
  private static final Duration STATE_MAX = Duration.ofSeconds(2);

  /** What is in the file system that does not answer. */
  private enum Place {
    LOG, FIFO, STDIN, OUTPUT_OF_A_TERMINAL, LOGGER, ROOTFS_SOURCE, ROOTFS_LAYER, ROOTFS_LOOP_FILE, ROOTFS_TARGET,
    BUNDLE, OPTIONS_FILE, RUNTIME, RUNTIME_ROOT, STREAM_OF_AN_EXEC, CHECKPOINT_IMAGE, CHECKPOINT_WORK
  }

  private record Asking(ShimClient task, MessageLite request) {}

  private record Hung(ShimClient task, LooseCall call) {}

  private static CreateTaskRequest.Builder create(ShimClient task) {
    return CreateTaskRequest.newBuilder().setId(task.id()).setBundle(task.bundle().path().toString());
  }

  private static Mount mount(String type, String source, String target, String... options) {
    return Mount.newBuilder().setType(type).setSource(source).setTarget(target).addAllOptions(List.of(options)).build();
  }

  private static CreateTaskRequest.Builder options(ShimClient task, Options.Builder options) {
    return create(task).setOptions(Shims.any("containerd.runc.v1.Options", options.build()));
  }

  private static MessageLite request(Place place, ShimClient task, HungFiles hung) {
    String path = hung.path(place.name());
    return switch (place) {
      case LOG -> create(task).setStdout("file://" + path).build();
      case FIFO -> create(task).setStdout(path).build();
      case STDIN -> create(task).setStdin(path).build();
      case OUTPUT_OF_A_TERMINAL -> create(task).setTerminal(true).setStdout(path).build();
      case LOGGER -> create(task).setStdout("binary://" + path).build();
      case ROOTFS_SOURCE -> create(task).addRootfs(mount("bind", path, "", "rbind")).build();
      case ROOTFS_LAYER -> create(task).addRootfs(
          mount("overlay", "overlay", "", "lowerdir=" + path + ":" + BED.rootfs())).build();
      case ROOTFS_LOOP_FILE -> create(task).addRootfs(mount("ext4", path, "", "loop", "ro")).build();
      case ROOTFS_TARGET -> create(task).addRootfs(mount("bind", hung.path(""), "", "rbind"))
          .addRootfs(mount("tmpfs", "tmpfs", place.name())).build();
      case BUNDLE -> create(task).setBundle(path).build();
      case OPTIONS_FILE -> create(task).setOptions(Shims.any("runtimeoptions.v1.Options",
          io.loomshim.proto.runtimeoptions.Options.newBuilder().setConfigPath(path).build())).build();
      case RUNTIME -> options(task, Options.newBuilder().setBinaryName(path)).build();
      case RUNTIME_ROOT -> options(task, Options.newBuilder().setRoot(path)).build();
      case STREAM_OF_AN_EXEC -> {
        task.create();
        task.start();
        task.exec("e", exec -> exec.setStdout(path), "true");
        yield StartRequest.newBuilder().setId(task.id()).setExecId("e").build();
      }
      case CHECKPOINT_IMAGE, CHECKPOINT_WORK -> {
        task.create();
        task.start();
        String image = task.bundle().path().resolve("image").toString();
        var options = CheckpointOptions.newBuilder().setWorkPath(place == Place.CHECKPOINT_WORK ? path : "");
        yield CheckpointTaskRequest.newBuilder().setId(task.id())
            .setPath(place == Place.CHECKPOINT_IMAGE ? path : image)
            .setOptions(Shims.any("containerd.runc.v1.CheckpointOptions", options.build())).build();
      }
    };
  }

  private static String method(Place place) {
    return switch (place) {
      case STREAM_OF_AN_EXEC -> "Start";
      case CHECKPOINT_IMAGE, CHECKPOINT_WORK -> "Checkpoint";
      default -> "Create";
    };
  }

  private static Duration slowestState(ShimClient task) {
    Duration slowest = Duration.ZERO;
    for (int i = 0; i < 300; i++) {
      long start = System.nanoTime();
      task.state("");
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      slowest = took.compareTo(slowest) > 0 ? took : slowest;
    }
    return slowest;
  }

  private static void exec(ShimClient task) {
    task.exec("probe", "sh", "-c", "exit 3");
    task.start("probe");
    assertEquals(3, task.await("probe").getExitStatus());
    task.delete("probe");
  }

  @Test
  void noPathIntoAFileSystemThatDoesNotAnswerDelaysAnybodyElse() {
    Shim.assumeOurs("Go shims serve one container each");
    try (var daemon = new OwnDaemon(BED.rootfs(), Map.of("java_options", ONE_CARRIER));
        var neighbour = daemon.running("sleep", "1000")) {
      exec(neighbour);
      long before = told(daemon, "process", "fds");
      var all = new EnumMap<Place, Hung>(Place.class);
      var hung = HungFiles.mount(daemon.directory().resolve("other/hung"));
      try {
        // first all that takes time, then all calls at once: the first must not be over when the last is asked about
        var asking = new EnumMap<Place, Asking>(Place.class);
        for (Place place : Place.values()) {
          var task = daemon.open("sleep", "1000");
          asking.put(place, new Asking(task, request(place, task, hung)));
        }
        asking.forEach((place, asked) -> all.put(place, new Hung(asked.task(),
            LooseCall.send(asked.task(), method(place), asked.request(), DEADLINE))));
        Duration state = slowestState(neighbour);
        assertTrue(state.compareTo(STATE_MAX) < 0, "State took " + state);
        exec(neighbour);
        assertEquals(1, neighbour.pids().getProcessesCount());
        String page = Inspect.run(Long.toString(daemon.pid())).ok().text();
        for (Place place : Place.values()) {
          String id = all.get(place).task().id();
          String waits = page.lines().filter(line -> line.contains(" " + method(place) + " ") && line.contains(id))
              .findFirst().orElse("");
          assertTrue(waits.contains(method(place).equals("Checkpoint") ? "runc checkpoint" : "a file system: "),
              place + " is not told in\n" + page);
        }
        var wrong = new ArrayList<String>();
        long begin = System.nanoTime();
        for (var one : all.entrySet()) {
          String status = one.getValue().call().status();
          Duration took = Duration.ofNanos(System.nanoTime() - begin);
          if (!status.startsWith("4 ") || took.compareTo(DEADLINE.plus(SOON)) > 0) {
            wrong.add(one.getKey() + ": " + status + " after " + took);
          }
        }
        assertEquals(List.of(), wrong);
        exec(neighbour);
        assertTrue(slowestState(neighbour).compareTo(STATE_MAX) < 0);
      } finally {
        hung.close();
      }
      Await.until("no step is left", () -> told(daemon, "file_steps_total") == 0);
      for (var one : all.entrySet()) {
        var task = one.getValue().task();
        one.getValue().call().close();
        Await.until(one.getKey() + " is undone", () -> endsAndCanBeMadeAgain(task));
        assertEquals(List.of(), Mounts.below(task.bundle().path().toString()), one.getKey().toString());
        task.close();
      }
      Await.until("no descriptor is left", () -> told(daemon, "process", "fds") <= before);
      exec(neighbour);
      assertEquals(137, neighbour.end());
    }
  }

  @Test
  void aDaemonEndsWhileAFileSystemDoesNotAnswer() {
    Shim.assumeOurs("it is about our daemon");
    try (var daemon = new OwnDaemon(BED.rootfs());
        var hung = HungFiles.mount(daemon.directory().resolve("other/hung"))) {
      var task = daemon.open("sleep", "1000");
      var request = request(Place.LOG, task, hung);
      try (var call = LooseCall.send(task, "Create", request, Duration.ZERO)) {
        Await.until("it hangs", () -> told(daemon, "file_steps_total") == 1);
        Proc.terminate(daemon.pid());
        Await.until("the daemon has ended", () -> !daemon.daemon().alive());
        assertTrue(call != null);
      }
      task.close();
    }
  }

  private static boolean endsAndCanBeMadeAgain(ShimClient task) {
    if (ShimClient.failure(() -> task.state("")).startsWith("5 ")
        && !ShimClient.error(task::create).startsWith("no error")) {
      return false;
    }
    assertEquals(137, task.end());
    return true;
  }

  /** A number that inspect tells; the last name is its, those before lead to it. */
  private static long told(OwnDaemon daemon, String... names) {
    Map<String, Object> at = Inspect.look(daemon.pid());
    for (int i = 0; i < names.length - 1; i++) {
      at = Json.object(at.get(names[i])).orElseThrow();
    }
    return Inspect.number(at, names[names.length - 1]);
  }
}
