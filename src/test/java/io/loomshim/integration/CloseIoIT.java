package io.loomshim.integration;

import static io.loomshim.integration.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.proto.task.ExecProcessRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A client that has nothing more to write says so with CloseIO, at whatever moment of the process's life. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
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
  void a_small_or_empty_input_ends_a_process_that_ctr_adds() {
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
  void an_exec_without_input_ends(Moment moment) throws Exception {
    ends(moment, false);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "WHILE_THE_FIFO_HAS_NO_READER")
  void so_does_one_on_a_terminal_with_a_hang_up(Moment moment) throws Exception {
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
  void the_first_process_ends_that_was_told_between_its_creation_and_its_start() throws Exception {
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
