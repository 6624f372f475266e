package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.process.Child;
import io.loomshim.process.Children;
import io.loomshim.process.Self;
import io.loomshim.stdio.LogContext;
import io.loomshim.stdio.ProcessIo;
import io.loomshim.stdio.StdioPaths;
import io.loomshim.stdio.Streams;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** The methods of {@link Runc}: what they make of the end of their commands. */
@Timeout(60)
class CommandTextsTest {
  @TempDir Path dir;

  private Runc failing(String words) throws Exception {
    return new FakeRunc(dir, "printf '{\"level\":\"error\",\"msg\":\"" + words + "\"}' >> $log; exit 1").of("web-1");
  }

  private static void assertFails(String text, Executable command) {
    var failure = assertThrows(RuncException.class, command, text);
    assertEquals(text, failure.getMessage());
    assertEquals(Code.UNKNOWN, failure.code());
    assertTrue(failure.explained());
  }

  @Test
  void eachFailureHasTheTextThatClientsKnow() throws Exception {
    Runc runc = failing("why");
    String own = dir + "/fake-runc did not terminate successfully: exit status 1";
    assertFails("OCI runtime start failed: why", runc::start);
    assertFails("OCI runtime pause failed: why", runc::pause);
    assertFails("OCI runtime resume failed: why", runc::resume);
    assertFails("failed to delete task: why", runc::delete);
    assertFails(own, () -> runc.update("{}"));
    assertFails(own, () -> runc.kill(15, false));
    assertFails(own, runc::ps);
  }

  @Test
  void whatHasBeenDoneBeforeIsNoFailure() throws Exception {
    failing("cannot start an already running container").start();
    failing("container not paused").resume();
    failing("container does not exist").delete();
    failing("No such file or directory").delete();
    Files.createDirectories(dir.resolve("root/web-1"));
    assertFails("failed to delete task: No such file or directory", failing("No such file or directory")::delete);
  }

  @Test
  void aContainerThatIsGoneAfterAForcedDeletionIsNoFailure() throws Exception {
    Runc runc = failing("why");
    runc.deleteByForce();
    Files.createDirectories(runc.directory());
    assertTrue(runc.exists());
    assertThrows(RuncException.class, runc::deleteByForce);
  }

  @Test
  void aFifoTellsWhetherTheInitWaitsForItsStart() throws Exception {
    Runc runc = failing("why");
    assertFalse(runc.waitsForStart());
    assertFalse(runc.startedMeanwhile());
    Path fifo = Files.createDirectories(runc.directory()).resolve("exec.fifo");
    Files.createFile(fifo);
    assertTrue(runc.waitsForStart());
    assertFalse(runc.startedMeanwhile());
    Files.delete(fifo);
    assertTrue(runc.startedMeanwhile());
  }

  private Child exec(Runc runc, Path process) throws Exception {
    var owner = new ProcessIo.Owner(0, 0);
    try (Streams streams = Streams.open("io/web-1/e", new StdioPaths("", "", "", false), owner,
        new LogContext("e", "test")); Children.Launch launch = Children.launching()) {
      assertFalse(launch == null);
      return runc.exec(new ProcessFile(process, "{}"), new PidFile(dir.resolve("e.pid")), Optional.empty(), streams,
          made -> { });
    }
  }

  @Test
  void execTakesChargeOfTheProcessAndLeavesNoProcessObjectBehind() throws Exception {
    Self.becomeSubreaper(); // of what the runtime leaves
    Path process = dir.resolve("process.json");
    String script = "cat process.json > seen; sleep 1000 & printf %d $! | tee pid > e.pid";
    try (Child child = exec(new FakeRunc(dir, script).of("web-1"), process)) {
      assertEquals(Files.readString(dir.resolve("pid")), Integer.toString(child.pid()));
      assertEquals("{}", Files.readString(dir.resolve("seen")));
      assertFalse(Files.exists(process));
      assertFalse(Files.exists(dir.resolve("e.pid")));
    }
  }

  @Test
  void anExecThatFailsLeavesNoProcessObjectBehindEither() throws Exception {
    Path process = dir.resolve("process.json");
    assertFails("OCI runtime exec failed: why", () -> exec(failing("why"), process));
    assertFalse(Files.exists(process));
    var failure = assertThrows(StatusException.class, () -> exec(new FakeRunc(dir, "true").of("web-1"), process));
    assertTrue(failure.getMessage().startsWith("failed to retrieve OCI runtime exec pid: "), failure.getMessage());
    assertFalse(Files.exists(process));
  }
}
