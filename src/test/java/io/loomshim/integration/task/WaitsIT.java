package io.loomshim.integration.task;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.MessageLite;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.LooseCall;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.DeleteRequest;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.PauseRequest;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.task.UpdateTaskRequest;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.types.Mount;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whatever a call waits for, it ends at the deadline that the request names, and when the peer has gone; then the
 * container can be ended and nothing is left. docs/RELIABILITY.md lists the waits and their limits.
 */
@Timeout(120)
final class WaitsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final Duration DEADLINE = Duration.ofMillis(500);
  /** For the deadline and an undoing; far below the limit of any wait. */
  private static final Duration SOON = Await.seconds(8);
  private static final String HANG = "sleep 1000 & wait";
  private static final String EXEC = "e1";
  /** More than a pipe and a fifo hold. */
  private static final int BYTES = 300_000;

  private Path fifo;
  private Path program;
  private FaultyRunc runc;

  /** What a call waits for. */
  private enum Wait {
    RUNC_CREATE, RUNC_START, RUNC_EXEC, RUNC_KILL, RUNC_PAUSE, RUNC_UPDATE, RUNC_DELETE,
    THE_CALL_BEFORE_IT, A_READER_OF_A_FIFO_FOR_CREATE, A_READER_OF_A_FIFO_FOR_AN_EXEC, A_READER_FOR_A_TERMINAL,
    A_LOGGER_THAT_IS_NOT_READY, A_MOUNT_HELPER, OUTPUT_THAT_NOBODY_READS, THE_END_OF_A_PROCESS
  }

  /** A call that waits, and what is to be done before the container ends. */
  private record Scene(String method, MessageLite request, String thread, Runnable after) {}

  @BeforeAll
  static void warm() {
    Shim.assumeOurs("the Go shim waits without end");
    try (var task = BED.shims().start(SHIM, BED.shims().bundle(Names.id("warm"), "sleep", "1000"))) {
      task.create();
      threads(task); // opens a socket in the daemon that stays
      task.end();
    }
  }

  @BeforeEach
  void makeFiles() {
    fifo = Bundle.fifo(BED.directory().resolve(Names.id("fifo")));
    program = script(BED.directory().resolve(Names.id("program")), "exec sleep 1000");
  }

  @AfterEach
  void removeFiles() throws IOException {
    Files.delete(fifo);
    Files.delete(program);
    Files.deleteIfExists(helper());
  }

  private static Path helper() {
    return Install.get().bin().resolve("mount.fuse3");
  }

  private static Path script(Path path, String body) {
    try {
      Files.writeString(path, "#!/bin/sh\n" + body + "\n");
      assertTrue(path.toFile().setExecutable(true));
      return path;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Scene create(ShimClient task, String command, UnaryOperator<CreateTaskRequest.Builder> more) {
    return scene("Create", more.apply(createRequest(task, command)).build(), task);
  }

  /** A Create whose runc hangs at {@code command}. */
  private CreateTaskRequest.Builder createRequest(ShimClient task, String command) {
    runc = FaultyRunc.make(BED.directory(), command, HANG);
    return CreateTaskRequest.newBuilder().setId(task.id()).setBundle(task.bundle().path().toString())
        .setOptions(runc.options().orElseThrow());
  }

  private void created(ShimClient task, String command) {
    task.create(request -> createRequest(task, command));
  }

  private void running(ShimClient task, String command) {
    created(task, command);
    task.start();
  }

  private static Scene scene(String method, MessageLite request, ShimClient task) {
    return new Scene(method, request, "rpc/" + method + "/" + task.id(), () -> { });
  }

  private static Scene start(ShimClient task, String exec) {
    var request = StartRequest.newBuilder().setId(task.id()).setExecId(exec).build();
    return scene("Start", request, task);
  }

  private static UpdateTaskRequest update(ShimClient task) {
    var resources = Shims.any("Resources", com.google.protobuf.Empty.getDefaultInstance());
    return UpdateTaskRequest.newBuilder().setId(task.id()).setResources(resources).build();
  }

  private Scene scene(Wait wait, ShimClient task) {
    String id = task.id();
    switch (wait) {
      case RUNC_CREATE:
        return create(task, "create", r -> r);
      case RUNC_START:
        created(task, "start");
        return start(task, "");
      case RUNC_EXEC:
        running(task, "exec");
        task.exec(EXEC, "true");
        return start(task, EXEC);
      case RUNC_KILL:
        running(task, "kill");
        var kill = KillRequest.newBuilder().setId(id).setSignal(ShimClient.KILL).setAll(true).build();
        return scene("Kill", kill, task);
      case RUNC_PAUSE:
        running(task, "pause");
        return scene("Pause", PauseRequest.newBuilder().setId(id).build(), task);
      case RUNC_UPDATE:
        running(task, "update");
        return scene("Update", update(task), task);
      case RUNC_DELETE:
        running(task, "delete");
        return deletion(task);
      case THE_CALL_BEFORE_IT:
        running(task, "update");
        var first = LooseCall.send(task, "Update", update(task), Duration.ZERO);
        Await.until("the first one runs", () -> threads(task).contains("rpc/Update/" + id));
        return new Scene("Pause", PauseRequest.newBuilder().setId(id).build(), "rpc/Pause/" + id, first::close);
      case A_READER_OF_A_FIFO_FOR_CREATE:
        return create(task, "nothing", r -> r.setStdout(fifo.toString()));
      case A_READER_OF_A_FIFO_FOR_AN_EXEC:
        running(task, "nothing");
        task.exec(EXEC, r -> r.setStdout(fifo.toString()), "true");
        return start(task, EXEC);
      case A_READER_FOR_A_TERMINAL:
        return create(task, "nothing", r -> r.setTerminal(true).setStdout(fifo.toString()));
      case A_LOGGER_THAT_IS_NOT_READY:
        String logger = "binary://" + program;
        return create(task, "nothing", r -> r.setStdout(logger).setStderr(logger));
      case A_MOUNT_HELPER:
        script(helper(), HANG);
        var mount = Mount.newBuilder().setType("fuse3.slow").setSource("nothing").build();
        return create(task, "nothing", r -> r.addRootfs(mount));
      case OUTPUT_THAT_NOBODY_READS:
        return unread(task);
      default:
        running(task, "nothing");
        var end = WaitRequest.newBuilder().setId(id).build();
        return scene("Wait", end, task);
    }
  }

  private static Scene deletion(ShimClient task) {
    task.kill(ShimClient.KILL, "");
    task.await("");
    var request = DeleteRequest.newBuilder().setId(task.id()).build();
    return scene("Delete", request, task);
  }

  /** Pipes of its own make the daemon wait for a client that has its fifo open and reads nothing. */
  private Scene unread(ShimClient task) {
    var reader = Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()),
        List.of("sh", "-c", "exec sleep 1000 < " + fifo));
    runc = FaultyRunc.make(BED.directory(), "nothing", HANG);
    var options = Options.newBuilder().setIoUid(1).setBinaryName(runc.program().toString()).build();
    task.create(r -> r.setStdout(fifo.toString()).setOptions(Shims.any("containerd.runc.v1.Options", options)));
    task.start();
    task.exec(EXEC, "true"); // while the container writes as much as fits
    task.start(EXEC);
    task.await(EXEC);
    Scene delete = deletion(task);
    return new Scene(delete.method(), delete.request(), delete.thread(), () -> {
      reader.kill();
      Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), List.of("cat", fifo.toString()));
    });
  }

  /** All threads of the daemon, virtual ones too. */
  private static String threads(ShimClient task) {
    try {
      Path dump = BED.directory().resolve(Names.id("threads"));
      Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), List.of(Install.jdk() + "/bin/jcmd",
          Long.toString(task.shimPid()), "Thread.dump_to_file", dump.toString())).await(Await.LIMIT).ok();
      String text = Files.readString(dump);
      Files.delete(dump);
      return text;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest(name = "a call that waits for {0} ends at its deadline and when its peer has gone")
  @EnumSource
  void aWaitCanBeCancelled(Wait wait) {
    boolean writes = wait == Wait.OUTPUT_THAT_NOBODY_READS;
    String[] command = writes ? new String[] {"sh", "-c", "yes | head -c " + BYTES + "; sleep 1000"}
        : new String[] {"sleep", "1000"};
    try (var task = BED.shims().start(SHIM, BED.shims().bundle(Names.id("wait"), command))) {
      Scene scene = scene(wait, task);
      Instant begin = Instant.now();
      try (var call = LooseCall.send(task, scene.method(), scene.request(), DEADLINE)) {
        assertEquals("4 context deadline exceeded", call.status());
      }
      var took = Duration.between(begin, Instant.now());
      assertTrue(took.compareTo(SOON) < 0, () -> "ended after " + took);
      try (var call = LooseCall.send(task, scene.method(), scene.request(), Duration.ZERO)) {
        Await.until("it waits", () -> threads(task).contains(scene.thread()));
        assertTrue(call != null);
      }
      boolean ended = Await.within(SOON, () -> !threads(task).contains(scene.thread()));
      assertTrue(ended, () -> "still there: " + scene.thread());
      runc.mend();
      scene.after().run();
      if (!failure(() -> task.state("")).startsWith("5 ")) {
        assertEquals(137, task.end());
      }
    }
  }
}
