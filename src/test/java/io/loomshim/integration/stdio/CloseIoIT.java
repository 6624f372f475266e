package io.loomshim.integration.stdio;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.Typist;
import io.loomshim.proto.task.ExecProcessRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A client that has nothing more to write says so with CloseIO, at whatever moment of the process's life. */
final class CloseIoIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();

  /** How often a small input is given to an exec. */
  private static final int TIMES = Boolean.getBoolean("loomshim.long") ? 200 : 10;

  /** When the client says that there is no more. */
  enum Moment {
    BEFORE_START,
    WHILE_THE_FIFO_HAS_NO_READER,
    WHILE_RUNC_STARTS_IT,
    AFTER_START
  }

  @Test
  void aSmallOrEmptyInputEndsAProcessThatCtrAdds() {
    for (Shim shim : List.of(SHIM, new Shim("io.containerd.runc.v2"))) {
      String id = Names.id("fed");
      BED.ctr().detached(shim, id, "sleep", "1000");
      int times = shim.ours() ? TIMES : 1;
      for (int i = 0; i < times; i++) {
        assertEquals("hello\n", fed(id, "hello\n"), shim.runtime());
      }
      BED.ctr().end(id);
    }
  }

  private static String fed(String id, String input) {
    var exec = BED.ctr().start(Exec.Setting.PIPE, "tasks", "exec", "--fifo-dir",
        BED.directory().resolve("fifo").toString(), "--exec-id", Names.id("e"), id, "cat");
    exec.feed(input.getBytes());
    return exec.await(Ctr.LIMIT).ok().text();
  }

  @ParameterizedTest
  @EnumSource
  void anExecWithoutInputEnds(Moment moment) throws Exception {
    ends(moment, false);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "WHILE_THE_FIFO_HAS_NO_READER")
  void soDoesOneOnATerminalWithAHangUp(Moment moment) throws Exception {
    ends(moment, true);
  }

  private static void ends(Moment moment, boolean terminal) throws Exception {
    Shim.assumeOurs("the Go shim forgets one that comes early");
    Path directory = Files.createDirectory(BED.directory().resolve(Names.id("closed")));
    Path in = Bundle.fifo(directory.resolve("in"));
    Path out = Bundle.fifo(directory.resolve("out"));
    FaultyRunc slow = FaultyRunc.make(directory, "exec", """
        : > "$0.called"
        while [ ! -e "$0.go" ]; do sleep 0.02; done
        exec $runc "$@"
        """);
    if (moment != Moment.WHILE_RUNC_STARTS_IT) {
      Files.createFile(slow.beside("go"));
    }
    Exec reader = moment == Moment.WHILE_THE_FIFO_HAS_NO_READER ? null : reader(out);
    var bundle = BED.shims().bundle(Names.id("closed"), "sleep", "1000");
    try (var screen = new Typist(directory, "init");
        var task = BED.shims().start(SHIM, terminal ? bundle.withTerminal() : bundle, slow.options())) {
      task.create(r -> terminal ? screen.on(r) : r);
      task.start();
      task.exec("e", r -> streams(r, in, out, terminal), "sh", "-c", "cat; echo end");
      if (moment == Moment.BEFORE_START) {
        task.closeIo("e");
      }
      var start = CompletableFuture.supplyAsync(() -> failure(() -> task.start("e")));
      if (moment == Moment.WHILE_THE_FIFO_HAS_NO_READER) {
        Await.until("the start waits",
            () -> Proc.files(task.shimPid()).stream().anyMatch(file -> file.endsWith(" " + in)));
        task.closeIo("e");
        reader = reader(out);
      } else if (moment == Moment.WHILE_RUNC_STARTS_IT) {
        Await.until("runc is called", () -> Files.exists(slow.beside("called")));
        task.closeIo("e");
        Files.createFile(slow.beside("go"));
      }
      assertEquals("no error: ", start.get());
      if (moment == Moment.AFTER_START) {
        task.closeIo("e");
      }
      assertEquals(terminal ? 129 : 0, task.await("e").getExitStatus());
      task.delete("e");
      assertEquals(terminal ? "" : "end\n", reader.await(Ctr.LIMIT).ok().text());
      task.end();
    }
    Scratch.remove(directory);
  }

  private static ExecProcessRequest.Builder streams(ExecProcessRequest.Builder request, Path in, Path out,
      boolean terminal) {
    request.setStdin(in.toString()).setStdout(out.toString()).setTerminal(terminal);
    return terminal ? request : request.setStderr(out.toString());
  }

  private static Exec reader(Path fifo) {
    return Exec.start(fifo.getParent(), new Exec.Setting(fifo.getParent(), Map.of()), List.of("cat", fifo.toString()));
  }

  @Test
  void theFirstProcessEndsThatWasToldBetweenItsCreationAndItsStart() throws Exception {
    Path directory = Files.createDirectory(BED.directory().resolve(Names.id("closed")));
    Path in = Bundle.fifo(directory.resolve("in"));
    Path out = Bundle.fifo(directory.resolve("out"));
    int status = Differential.same(shim -> {
      Exec reader = reader(out);
      try (var task = BED.shims().start(shim, BED.shims().bundle(Names.id("first"), "sh", "-c", "cat; exit 4"))) {
        task.create(r -> r.setStdin(in.toString()).setStdout(out.toString()).setStderr(out.toString()));
        task.closeIo("");
        task.start();
        int exit = task.await("").getExitStatus();
        task.end();
        return exit;
      } finally {
        reader.kill();
      }
    });
    assertEquals(4, status);
    Scratch.remove(directory);
  }
}
