package io.loomshim.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SpawnerTest {
  private static final Path ROOT = Path.of("/");

  private static String output(List<String> argv, List<String> env, Path cwd) throws Exception {
    try (Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0);
        Pipe pipe = Pipe.open()) {
      Child child = Spawner.spawn(new Spawn(argv, env, cwd, List.of(nothing, pipe.writer(), nothing)));
      pipe.writer().close();
      pipe.reader().nonBlocking(true);
      var bytes = new ByteArrayOutputStream();
      byte[] buffer = new byte[1024];
      for (int count = pipe.reader().read(buffer); count > 0; count = pipe.reader().read(buffer)) {
        bytes.write(buffer, 0, count);
      }
      assertEquals(0, child.await());
      return bytes.toString(StandardCharsets.UTF_8);
    }
  }

  private static Child sh(String script) throws Exception {
    try (Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0)) {
      return Spawner.spawn(
          new Spawn(List.of("/bin/sh", "-c", script), List.of(), ROOT, List.of(nothing, nothing, nothing)));
    }
  }

  @Test
  void aChildGetsItsArgumentsEnvironmentAndWorkingDirectory() throws Exception {
    String text = output(List.of("/bin/sh", "-c", "echo $0 $A; pwd", "zéro"), List.of("A=ä b"), Path.of("/proc"));
    assertEquals("zéro ä b\n/proc\n", text);
  }

  @Test
  void aChildHasTheSoftLimitOfOpenFilesThatThisProcessWasStartedWith() throws Exception {
    String script = "ulimit -Sn; ulimit -Hn; echo \"$0 $1 $A\"; pwd";
    List<String> argv = List.of("/bin/sh", "-c", script, "it's", "$A \"b\"  c");
    String before = output(argv, List.of("A=a"), Path.of("/proc"));
    Spawner.limitOpenFiles("57");
    try {
      assertEquals("57" + before.substring(before.indexOf('\n')), output(argv, List.of("A=a"), Path.of("/proc")));
      for (var reason : Map.of("/no/such/program", Errno.ENOENT, "/proc/self/stat", Errno.EACCES).entrySet()) {
        var missing = new Spawn(List.of(reason.getKey()), List.of(), ROOT, List.of());
        var failure = assertThrows(ErrnoException.class, () -> Spawner.spawn(missing));
        assertEquals(reason.getValue(), failure.errno());
        assertTrue(failure.getMessage().startsWith("fork/exec " + reason.getKey() + ": "), failure.getMessage());
      }
    } finally {
      Spawner.limitOpenFiles("");
    }
  }

  @Test
  void aChildHasNoDescriptorsButThoseItWasGiven() throws Exception {
    try (Pipe leak = Pipe.open()) {
      int highest = leak.writer().number() + 8;
      String script =
          "n=3; while [ $n -le " + highest + " ]; do [ -e /proc/$$/fd/$n ] && echo $n; n=$((n+1)); done; true";
      assertEquals("", output(List.of("/bin/sh", "-c", script), List.of(), ROOT));
    }
  }

  @Test
  void aSourceThatIsAlsoATargetIsNotOverwritten() throws Exception {
    try (Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0);
        Pipe pipe = Pipe.open()) {
      var fds = new ArrayList<Fd>();
      int writer = pipe.writer().number();
      for (int i = 0; i <= writer; i++) {
        fds.add(i == 1 ? pipe.writer() : nothing);
      }
      Child child = Spawner.spawn(new Spawn(List.of("/bin/sh", "-c", "echo hit"), List.of(), ROOT, fds));
      assertEquals(0, child.await());
      byte[] buffer = new byte[16];
      assertEquals("hit\n", new String(buffer, 0, pipe.reader().tryRead(buffer), StandardCharsets.UTF_8));
    }
  }

  @Test
  void exitCodesAndSignalsBecomeTheStatus() throws Exception {
    assertEquals(0, sh("exit 0").await());
    assertEquals(42, sh("exit 42").await());
    assertEquals(255, sh("exit 255").await());
    assertEquals(128 + 9, sh("kill -9 $$").await());
    assertEquals(128 + 15, sh("kill -15 $$").await());
  }

  @Test
  void aMissingProgramIsAnErrorThatNamesIt() {
    var e =
        assertThrows(
            ErrnoException.class,
            () -> Spawner.spawn(new Spawn(List.of("/nowhere/prog"), List.of(), ROOT, List.of())));
    assertEquals("fork/exec /nowhere/prog: no such file or directory", e.getMessage());
    assertEquals(Errno.ENOENT, e.errno());
  }

  @Test
  void aChildHasDefaultSignalDispositions() throws Exception {
    String text = output(List.of("/bin/cat", "/proc/self/status"), List.of(), ROOT);
    assertTrue(text.contains("SigIgn:\t0000000000000000"), text);
    assertTrue(text.contains("SigBlk:\t0000000000000000"), text);
  }

  @Test
  void anAwaitWithALimitGivesUpAndCanBeTakenUpAgain() throws Exception {
    Child child = sh("exec sleep 60");
    assertTrue(child.await(Duration.ofMillis(20)).isEmpty());
    child.kill(Child.SIGTERM);
    assertEquals(128 + 15, child.await());
    assertTrue(child.ended());
    assertEquals(Errno.ESRCH, assertThrows(ErrnoException.class, () -> child.kill(15)).errno());
  }

  @Test
  void closingAChildEndsAndReapsItEvenWhenInterrupted() throws Exception {
    Child child = sh("exec sleep 60");
    Thread.currentThread().interrupt();
    child.close();
    assertTrue(Thread.interrupted());
    assertTrue(child.ended());
    assertTrue(!Children.pids().contains(child.pid()));
  }

  @Test
  void anInterruptedAwaitLeavesTheChildRunning() throws Exception {
    try (Child child = sh("exec sleep 60")) {
      Thread.currentThread().interrupt();
      assertThrows(InterruptedException.class, child::await);
      child.kill(0);
    }
  }

  @Test
  void anExitBeforeTheClaimIsNotLost() throws Exception {
    Child child = sh("exit 7");
    // the zombie waits for us however late we come
    while (!java.nio.file.Files.readString(Path.of("/proc/" + child.pid() + "/stat")).contains(") Z ")) {
      Thread.onSpinWait();
    }
    assertEquals(7, child.await());
  }
}
