package io.loomshim.integration.storm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/** Lines that go in by stdin and come back by stdout, which is a fifo or, by the name {@code file}, a file. */
final class Streams extends Player {
  private static final int LINES = 200;
  private static final long PAUSE_NANOS = 20_000_000;

  Streams(Game game, String name) {
    super(game, name);
  }

  @Override
  void play() throws Exception {
    Path in = Bundle.fifo(game.directory().resolve(name + "-in"));
    Path out = game.directory().resolve(name + "-out");
    boolean file = name.equals("file");
    var setting = new Exec.Setting(game.directory(), Map.of());
    var reader = Exec.start(game.directory(), setting, file ? List.of("true") : List.of("cat",
        Bundle.fifo(out).toString()));
    try (var task = game.join(game.bundle(name, "cat"))) {
      insist(() -> task.create(r -> r.setStdin(in.toString()).setStdout(file ? "file://" + out : out.toString())));
      task.start();
      attached();
      var writer = Exec.start(game.directory(), new Exec.Setting(game.directory(), Map.of(), Exec.Setting.PIPE),
          List.of("sh", "-c", "exec cat > " + in));
      var text = new StringBuilder();
      for (int i = 0; !game.isOver(); i++) {
        var lines = new StringBuilder();
        for (int n = 0; n < LINES; n++) {
          lines.append(i * LINES + n).append('\n');
        }
        text.append(lines);
        writer.type(lines.toString());
        game.saw("kilobytes of " + name);
        LockSupport.parkNanos(PAUSE_NANOS);
      }
      writer.feed(new byte[0]);
      writer.await(Ctr.LIMIT).ok();
      Await.until("all has come", () -> text.length() <= (file ? out.toFile().length() : reader.output().length()));
      task.closeIo("");
      assertEquals(0, task.await("").getExitStatus());
      task.delete("");
      String result = reader.await(Ctr.LIMIT).ok().text();
      same(text.toString(), file ? Files.readString(out) : result);
    } finally {
      reader.kill();
    }
  }

  private void same(String expected, String actual) {
    int at = 0;
    while (at < Math.min(expected.length(), actual.length()) && expected.charAt(at) == actual.charAt(at)) {
      at++;
    }
    if (at < Math.max(expected.length(), actual.length())) {
      throw new AssertionError(name + " differs at byte " + at + " of " + expected.length() + ": "
          + actual.substring(Math.max(0, at - 40), Math.min(actual.length(), at + 40)));
    }
  }
}
