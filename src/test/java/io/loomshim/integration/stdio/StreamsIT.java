package io.loomshim.integration.stdio;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a process can do with its streams, and what of that may be seen outside: as with the Go shim. */
final class StreamsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final List<Shim> BOTH = List.of(SHIM, new Shim("io.containerd.runc.v2"));

  /** How long a client may be held up by what a process has left: containerd 2.2 waits for 10 s. */
  private static final Duration BOUNDED = Await.seconds(15);

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Runs a container with a log that begins with a line already; the exit, who owns the log, and its lines, sorted. */
  private static String logged(Shim shim, int uid, String script) throws IOException {
    Path log = Files.writeString(BED.directory().resolve(Names.id("log")), "a begin\n");
    var bundle = BED.shims().bundle(Names.id("logged"), "sh", "-c", script);
    Path config = bundle.path().resolve("config.json");
    Files.writeString(config, Files.readString(config).replace("\"uid\": 0", "\"uid\": " + uid));
    int status;
    try (var task = BED.shims().start(shim, bundle)) {
      task.create(r -> r.setStdout("file://" + log).setStderr("file://" + log));
      task.start();
      status = task.await("").getExitStatus();
      task.delete("");
    }
    String seen = status + " " + Files.getAttribute(log, "unix:uid") + " "
        + PosixFilePermissions.toString(Files.getPosixFilePermissions(log)) + " "
        + String.join(",", text(log).lines().sorted().toList()); // the two streams of the Go shim are in no order
    Files.delete(log);
    return seen;
  }

  @Test
  void anOutputOpenedAnewCutsNoLogOff() throws Exception {
    for (Shim shim : BOTH) {
      String seen = logged(shim, 0, "echo one; echo two >/dev/stdout; echo three | tee /dev/stderr");
      String expected = "0 0 rw-r--r-- a begin,one,three,three,two";
      if (shim.ours()) {
        assertEquals(expected, seen);
      } else { // it copies the two streams to the file at a time, and one line may end up on another
        assertTrue(List.of(expected, expected.replaceFirst("three,", "")).contains(seen), shim.runtime() + ": " + seen);
      }
    }
  }

  @Test
  void aLogStaysTheHostsWhoeverTheProcessIsAndWhateverItDoes() throws Exception {
    for (Shim shim : BOTH) {
      assertEquals("0 0 rw-r--r-- a begin,one,two", logged(shim, 1000,
          "echo one; echo two >/dev/stdout; chmod 0 /proc/self/fd/1"), shim.runtime());
    }
  }

  @Test
  void noLimitOfTheProcessEndsItsLog() throws Exception {
    for (Shim shim : BOTH) {
      String seen = logged(shim, 0, "ulimit -f 64; head -c 200000 /dev/zero | tr '\\0' 'x' && echo end");
      assertTrue(seen.startsWith("0 0 "), shim.runtime());
      assertTrue(seen.endsWith("xend") && seen.length() > 200_000, () -> shim + ": " + seen.length());
    }
  }

  @Test
  void stdinCanBeOpenedLateAndAsAScript() {
    for (Shim shim : BOTH) {
      String id = Names.id("late");
      BED.ctr().detached(shim, id, "sleep", "1000");
      assertEquals("hello\n", fed(id, "hello\n", "sh", "-c", "sleep 0.5; cat /dev/stdin"), shim.runtime());
      assertEquals("from a script\n", fed(id, "echo from a script\n", "sh", "/dev/stdin"), shim.runtime());
      BED.ctr().end(id);
    }
  }

  private static String fed(String id, String input, String... command) {
    var exec = exec(id, Exec.Setting.PIPE, command);
    exec.feed(input.getBytes());
    return exec.await(Ctr.LIMIT).ok().text();
  }

  private static Exec exec(String id, Path stdin, String... command) {
    var words = new ArrayList<>(List.of("tasks", "exec", "--fifo-dir", BED.directory().resolve("fifo").toString(),
        "--exec-id", Names.id("e"), id));
    words.addAll(List.of(command));
    return BED.ctr().start(stdin, words.toArray(String[]::new));
  }

  @Test
  void aJobInTheBackgroundHoldsItsClientForABoundedTime() {
    for (Shim shim : BOTH) {
      String id = Names.id("job");
      BED.ctr().detached(shim, id, "sleep", "1000");
      var exec = exec(id, Exec.Setting.NO_STDIN, "sh", "-c", "sleep 60 & echo hi");
      assertEquals("hi\n", exec.await(BOUNDED).ok().text(), shim.runtime());
      BED.ctr().end(id);
    }
  }

  /** Without that there is nothing that a security module, which checks paths, could refuse. */
  @Test
  void noStreamHasAPath() {
    String all = "for i in 0 1 2; do readlink /proc/self/fd/$i; done";
    for (Shim shim : BOTH) {
      String id = Names.id("pathless");
      BED.ctr().detached(shim, id, "sleep", "1000");
      var exec = exec(id, Exec.Setting.PIPE, "sh", "-c", all);
      exec.feed(new byte[0]);
      for (String line : exec.await(Ctr.LIMIT).ok().text().lines().toList()) {
        assertTrue(line.startsWith("pipe:["), () -> shim + ": " + line);
      }
      BED.ctr().end(id);
    }
  }

  @Test
  void ofWhatRuncSaysOfAFailedStartNothingIsOnStderr() throws Exception {
    for (Shim shim : BOTH) {
      Path directory = Files.createDirectory(BED.directory().resolve(Names.id("words")));
      Path out = Bundle.fifo(directory.resolve("out"));
      Path err = Bundle.fifo(directory.resolve("err"));
      var readers = List.of(reader(out), reader(err));
      try (var task = BED.shims().start(shim, BED.shims().bundle(Names.id("words"), "sleep", "1000"))) {
        task.create();
        task.start();
        task.exec("bad", r -> r.setStdout(out.toString()).setStderr(err.toString()), "no-such-program");
        assertTrue(failure(() -> task.start("bad")).startsWith("2 OCI runtime exec failed: "));
        task.delete("bad");
        if (shim.ours()) {
          readers.forEach(reader -> assertEquals("", reader.await(Ctr.LIMIT).ok().text()));
        }
        task.end();
      } finally {
        readers.forEach(Exec::kill); // the Go shim does not even open them
      }
      Scratch.remove(directory);
    }
  }

  private static Exec reader(Path fifo) {
    return Exec.start(fifo.getParent(), new Exec.Setting(fifo.getParent(), Map.of()), List.of("cat", fifo.toString()));
  }
}
