package io.loomshim.runc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.errors.Code;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An init that waits at the fifo is let go as runc does it, and only such a one. */
@Timeout(60)
class NativeStartTest {
  private static final String USAGE = "start (native)";
  private static final String WRITE = "exec 3> \"$fifo\"; printf 0 >&3; ";
  private static final String INIT = WRITE + "exec 3>&-; exec sleep 1000";

  @TempDir Path dir;
  private NativeRig rig;

  @BeforeEach
  void aContainer() throws Exception {
    rig = new NativeRig(dir, Duration.ofSeconds(2), false);
    rig.makeFifo();
  }

  @AfterEach
  void end() throws Exception {
    rig.close();
  }

  private boolean start(Process init) throws Exception {
    return rig.natives().start((int) init.pid());
  }

  /** Nothing has happened: nothing was counted, and the init still waits for a reader. */
  private void assertLeftToRunc(Process init) throws Exception {
    long before = rig.used(USAGE);
    assertFalse(start(init));
    assertTrue(Files.exists(rig.fifo));
    assertEquals(before, rig.used(USAGE));
    assertFalse(dir.resolve("written").toFile().exists());
  }

  @Test
  void anInitThatWaitsIsLetGo() throws Exception {
    Process init = rig.process(INIT);
    rig.state(init, "pids", "freezer");
    long before = rig.used(USAGE);
    assertTrue(start(init));
    assertFalse(Files.exists(rig.fifo));
    assertTrue(init.isAlive());
    assertEquals(before + 1, rig.used(USAGE));
  }

  @Test
  void anInitThatComesLaterIsWaitedFor() throws Exception {
    Process init = rig.process("while [ ! -e \"$fifo.go\" ]; do sleep 0.01; done; " + INIT);
    rig.state(init, "pids");
    CompletableFuture<Boolean> started = later(init);
    Files.createFile(Path.of(rig.fifo + ".go"));
    assertTrue(started.get(20, TimeUnit.SECONDS));
  }

  private CompletableFuture<Boolean> later(Process init) throws Exception {
    var started = new CompletableFuture<Boolean>();
    Thread.ofVirtual().start(() -> {
      try {
        started.complete(start(init));
      } catch (Throwable e) {
        started.completeExceptionally(e);
      }
    });
    await().until(() -> started.isDone() || rig.runs(USAGE));
    return started;
  }

  /** runc returns when the init has closed the fifo, which its execve does. */
  @Test
  void theEndIsTheExecve() throws Exception {
    Process init = rig.process(WRITE + "while [ ! -e \"$fifo.go\" ]; do sleep 0.01; done; exec 3>&-; exec sleep 1000");
    rig.state(init, "pids");
    CompletableFuture<Boolean> started = later(init);
    await().until(() -> Files.readString(Path.of("/proc/" + init.pid() + "/cmdline")).contains("sleep 0.01"));
    assertFalse(started.isDone());
    assertTrue(Files.exists(rig.fifo));
    Files.createFile(Path.of(rig.fifo + ".go"));
    assertTrue(started.get(20, TimeUnit.SECONDS));
    assertFalse(Files.exists(rig.fifo));
  }

  private static String words(CompletableFuture<Boolean> started) {
    var failure = assertThrows(ExecutionException.class, () -> started.get(20, TimeUnit.SECONDS)).getCause();
    return assertInstanceOf(RuncException.class, failure).logged("OCI runtime start failed");
  }

  @Test
  void anInitThatEndsBeforeItWritesIsToldInTheWordsOfRunc() throws Exception {
    Process init = rig.process("while [ ! -e \"$fifo.go\" ]; do sleep 0.01; done; exit 3");
    rig.state(init, "pids");
    CompletableFuture<Boolean> started = later(init);
    Files.createFile(Path.of(rig.fifo + ".go"));
    assertEquals("OCI runtime start failed: container process is already dead", words(started));
    assertTrue(Files.exists(rig.fifo));
  }

  @Test
  void anInitThatEndsWithoutWritingIsToldInTheWordsOfRunc() throws Exception {
    Process init = rig.process("exec 3> \"$fifo\"; exit 3");
    rig.state(init, "pids");
    assertEquals("OCI runtime start failed: cannot start an already running container", words(later(init)));
    assertTrue(Files.exists(rig.fifo));
  }

  @Test
  void anInitThatDoesNotBeginIsGivenUpInTheWordsOfRunc() throws Exception {
    Process init = rig.process("exec sleep 1000");
    rig.state(init, "pids");
    var e = assertThrows(RuncException.class, () -> start(init));
    assertEquals("OCI runtime start failed: runc start did not answer within 2 s and was killed",
        e.logged("OCI runtime start failed"));
    assertEquals(Code.DEADLINE_EXCEEDED, e.code());
    assertTrue(Files.exists(rig.fifo));
  }

  @Test
  void aCallThatIsGivenUpEndsAtOnce() throws Exception {
    Process init = rig.process("exec sleep 1000");
    rig.state(init, "pids");
    var interrupted = new CompletableFuture<Boolean>();
    Thread caller = Thread.ofVirtual().start(() -> {
      assertThrows(InterruptedException.class, () -> start(init));
      interrupted.complete(true);
    });
    await().until(() -> rig.runs(USAGE));
    caller.interrupt();
    assertTrue(interrupted.get(20, TimeUnit.SECONDS));
  }

  @Test
  void anInitThatHasEndedIsLeftToRunc() throws Exception {
    Process init = rig.process("exec sleep 1000");
    rig.state(init, "pids");
    init.destroyForcibly().waitFor();
    assertLeftToRunc(init);
  }

  @Test
  void anInitOfAnotherContainerIsLeftToRunc() throws Exception {
    Process init = rig.process(INIT);
    rig.state(rig.process("exec sleep 1000"), "pids");
    assertLeftToRunc(init);
    rig.state(init, "pids");
    String state = Files.readString(rig.directory.resolve(RuncState.FILE));
    rig.write(state.replace("\"id\":\"a\"", "\"id\":\"b\""));
    assertLeftToRunc(init);
  }

  @Test
  void aPausedContainerIsLeftToRunc() throws Exception {
    Process init = rig.process(INIT);
    rig.state(init, "freezer");
    Files.writeString(rig.cgroup("freezer").resolve("freezer.state"), "FROZEN\n");
    assertLeftToRunc(init);
  }

  @Test
  void hooksAfterTheStartAreLeftToRunc() throws Exception {
    Process init = rig.process(INIT);
    rig.state(init, "pids");
    String state = Files.readString(rig.directory.resolve(RuncState.FILE));
    rig.write(state.replace("\"poststart\":null", "\"poststart\":[{\"path\":\"/bin/true\"}]"));
    assertLeftToRunc(init);
  }

  @Test
  void aContainerWithoutARecordOrWithAnotherShapeIsLeftToRunc() throws Exception {
    Process init = rig.process(INIT);
    assertLeftToRunc(init);
    rig.write("{}");
    assertLeftToRunc(init);
  }

  @Test
  void aSecondStartIsLeftToRunc() throws Exception {
    Process init = rig.process(INIT);
    rig.state(init, "pids");
    assertTrue(start(init));
    assertFalse(start(init));
  }

  @Test
  void anUnknownRuntimeIsLeftToItself() throws Exception {
    Process init = rig.process(INIT);
    rig.state(init, "pids");
    assertFalse(rig.natives(KnownRuntimes.NONE).start((int) init.pid()));
    assertTrue(Files.exists(rig.fifo));
  }
}
