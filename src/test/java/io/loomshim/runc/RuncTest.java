package io.loomshim.runc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.errors.Code;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A runc that misbehaves, played by a shell script; {@link RealRuncTest} has the real one. */
@Timeout(60)
class RuncTest {
  private static final RuncCommand START = new RuncCommand.Start("web-1");
  private static final String HANG = "echo $$ > pid; exec sleep 1000";

  @TempDir Path dir;
  private int fdsBefore;

  private static int fds() throws IOException {
    try (var fds = Files.list(Path.of("/proc/self/fd"))) {
      return (int) fds.filter(RuncTest::isOfACall).count();
    }
  }

  private static boolean isOfACall(Path fd) {
    try {
      String target = Files.readSymbolicLink(fd).toString();
      return target.startsWith("pipe:") || target.startsWith("/memfd:") || target.equals("/dev/null")
          || target.contains("pidfd");
    } catch (IOException e) {
      return false;
    }
  }

  private RuncCommand create() {
    return new RuncCommand.Create("web-1", dir, dir.resolve("init.pid"), Optional.empty(), false, false, () -> {});
  }

  @BeforeEach
  void countDescriptors() throws IOException {
    fdsBefore = fds();
  }

  @AfterEach
  void noDescriptorStays() throws IOException {
    assertEquals(fdsBefore, fds());
  }

  @Test
  void runcGetsItsArgumentsInTheBundleWithoutTheNotifySocket() throws Exception {
    var fake = new FakeRunc(dir, "pwd; echo \"$@\"; echo \"A=$A N=${NOTIFY_SOCKET-unset}\" >&2; cat");
    assertEquals(dir + "\n--root " + dir + "/root --log " + dir + "/log.json --log-format json start web-1\n"
        + "A=b N=unset\n", fake.runc(FakeRunc.LONG).run(START));
  }

  /** It waits for a file that is written meanwhile. */
  @Test
  void whatIsNotWaitedForIsDoneWhileCreateRuns() throws Exception {
    var fake = new FakeRunc(dir, "until [ -e meanwhile ]; do sleep 0.01; done; echo done");
    var calls = new RuncCalls();
    var create = new RuncCommand.Create("web-1", dir, dir.resolve("init.pid"), Optional.empty(), false, false, () -> {
      assertEquals(1, calls.running().size());
      assertTrue(dir.resolve("meanwhile").toFile().mkdir());
    });
    assertEquals("done\n", fake.runc("fake-runc", FakeRunc.LONG, calls).run(create));
  }

  @Test
  void updateReadsItsResourcesFromStdin() throws Exception {
    var fake = new FakeRunc(dir, "cat");
    CommandRunner runc = fake.runc(FakeRunc.LONG);
    assertEquals("{\"pids\":1}\n", runc.run(new RuncCommand.Update("web-1", "{\"pids\":1}")));
    String large = "x".repeat(RuncLimits.OUTPUT_BYTES_KEPT * 4);
    assertEquals(large.substring(0, RuncLimits.OUTPUT_BYTES_KEPT), runc.run(new RuncCommand.Update("web-1", large)));
  }

  @Test
  void anUpdateThatDoesNotReadItsResourcesIsNoError() throws Exception {
    var fake = new FakeRunc(dir, "echo done");
    assertEquals("done\n", fake.runc(FakeRunc.LONG).run(new RuncCommand.Update("web-1", "x".repeat(1 << 20))));
  }

  @Test
  void aFailureCarriesTheOutput() throws Exception {
    var fake = new FakeRunc(dir, ": > $log; echo one; echo two >&2; exit 3");
    var e = assertThrows(RuncException.class, () -> fake.runc(FakeRunc.LONG).run(START));
    assertEquals("fake-runc did not terminate successfully: one\ntwo", e.text());
    assertEquals("OCI runtime start failed: " + e.text(), e.logged("OCI runtime start failed"));
    assertFalse(e.timedOut());
  }

  @Test
  void deathByASignalIsAFailure() throws Exception {
    var fake = new FakeRunc(dir, "kill -SEGV $$");
    var e = assertThrows(RuncException.class, () -> fake.runc(FakeRunc.LONG).run(START));
    assertEquals("fake-runc did not terminate successfully: exit status 139", e.text());
  }

  @Test
  void aFailureReportsWhatThisCallLoggedAndNotAnOlderEntry() throws Exception {
    String entry = "printf '{\"level\":\"error\",\"msg\":\"call %s\",\"time\":\"2022-01-01T00:00:00Z\"}\\n'";
    var fake = new FakeRunc(dir, "case \"$*\" in *silent*) exit 1;; esac; " + entry + " \"$8\" >> $log; exit 1");
    CommandRunner runc = fake.runc(FakeRunc.LONG);
    var first = assertThrows(RuncException.class, () -> runc.run(new RuncCommand.Start("first")));
    assertEquals("P: call first", first.logged("P"));
    var silent = assertThrows(RuncException.class, () -> runc.run(new RuncCommand.Start("silent")));
    assertEquals("P: fake-runc did not terminate successfully: exit status 1", silent.logged("P"));
    var second = assertThrows(RuncException.class, () -> runc.run(new RuncCommand.Start("second")));
    assertEquals("P: call second", second.logged("P"));
  }

  @Test
  void garbageInTheLogIsReportedTogetherWithTheFailure() throws Exception {
    var fake = new FakeRunc(dir, "echo 'panic: oops' >> $log; echo no; exit 1");
    var e = assertThrows(RuncException.class, () -> fake.runc(FakeRunc.LONG).run(START));
    assertEquals("P: unable to retrieve OCI runtime error (invalid JSON at offset 0: unexpected 'p' where a value"
        + " should stand): fake-runc did not terminate successfully: no", e.logged("P"));
  }

  @Test
  void outputBeyondTheLimitIsDropped() throws Exception {
    var fake = new FakeRunc(dir, "head -c 3000000 /dev/zero | tr '\\0' x");
    String output = fake.runc(FakeRunc.LONG).run(START);
    assertEquals(RuncLimits.OUTPUT_BYTES_KEPT, output.length());
  }

  @Test
  void outputWithoutEndFailsInsteadOfFillingTheMemory() throws Exception {
    var fake = new FakeRunc(dir, "tr '\\0' x < /dev/zero 2> words || { cat words > $log; exit 9; }");
    var e = assertThrows(RuncException.class, () -> fake.runc(FakeRunc.LONG).run(START));
    assertEquals("fake-runc did not terminate successfully: " + "x".repeat(RuncLimits.OUTPUT_BYTES_KEPT), e.text());
    assertTrue(Files.readString(dir.resolve("words")).contains("Operation not permitted"));
  }

  @Test
  void aRuncThatHangsIsKilledAndReapedAtItsLimit() throws Exception {
    var fake = new FakeRunc(dir, HANG);
    var e = assertThrows(RuncException.class, () -> fake.runc(FakeRunc.SHORT).run(create()));
    assertEquals("fake-runc create did not answer within 1500 ms and was killed", e.text());
    assertEquals("P: " + e.text(), e.logged("P"));
    assertTrue(e.timedOut());
    FakeRunc.assertGone(fake.pid("pid"));
  }

  @Test
  void aRuncThatHangsWithGivenDescriptorsIsKilledToo() throws Exception {
    var fake = new FakeRunc(dir, HANG);
    var e = assertThrows(RuncException.class, () -> fake.runc(FakeRunc.SHORT).runSilent(create()));
    assertTrue(e.timedOut());
    FakeRunc.assertGone(fake.pid("pid"));
  }

  @Test
  void whatAHungRuncHasStartedEndsWithIt() throws Exception {
    var fake = new FakeRunc(dir, "sleep 1000 & echo $! > grandchild; wait");
    var e = assertThrows(RuncException.class, () -> fake.runc(FakeRunc.SHORT).run(create()));
    assertEquals(Code.DEADLINE_EXCEEDED, e.code());
    long grandchild = fake.pid("grandchild");
    await().until(() -> ended(grandchild));
  }

  /** Without a subreaper here, init has it reaped; a zombie has ended as well. */
  private static boolean ended(long pid) throws IOException {
    Path stat = Path.of("/proc/" + pid + "/stat");
    return !Files.exists(stat) || Files.readString(stat).contains(") Z ");
  }

  @Test
  void anInterruptKillsAndReapsRunc() throws Exception {
    var fake = new FakeRunc(dir, HANG);
    var outcome = new CompletableFuture<Throwable>();
    Thread caller = Thread.ofVirtual().start(() -> {
      try {
        fake.runc(FakeRunc.LONG).run(START);
      } catch (RuncException | InterruptedException e) {
        outcome.complete(e);
      }
    });
    await().until(() -> Files.exists(dir.resolve("pid")) && Files.size(dir.resolve("pid")) > 0);
    caller.interrupt();
    Throwable e = outcome.get(20, TimeUnit.SECONDS);
    assertEquals(InterruptedException.class, e.getClass());
    assertEquals("fake-runc start was interrupted and killed", e.getMessage());
    FakeRunc.assertGone(fake.pid("pid"));
  }

  @Test
  void aGrandchildThatHoldsTheOutputDoesNotHoldTheCall() throws Exception {
    var fake = new FakeRunc(dir, "sleep 1000 & echo $! > grandchild; echo ready");
    long before = System.nanoTime();
    try {
      assertEquals("ready\n", fake.runc(FakeRunc.LONG).run(START));
    } finally {
      ProcessHandle.of(fake.pid("grandchild")).ifPresent(ProcessHandle::destroyForcibly);
    }
    Duration took = Duration.ofNanos(System.nanoTime() - before);
    assertTrue(took.compareTo(Duration.ofSeconds(20)) < 0, "took " + took);
  }

  @Test
  void givenDescriptorsReachRuncAndStayOpenHere() throws Exception {
    var fake = new FakeRunc(dir, "cat; echo error >&2; exit 4");
    try (Pipe in = Pipe.open(); Pipe out = Pipe.open(); Pipe err = Pipe.open()) {
      byte[] text = "input".getBytes(StandardCharsets.UTF_8);
      assertEquals(5, in.writer().tryWrite(text, 0, 5));
      in.writer().close();
      var e = assertThrows(RuncException.class,
          () -> fake.runc(FakeRunc.LONG).run(START, List.of(in.reader(), out.writer(), err.writer())));
      assertEquals("fake-runc did not terminate successfully: exit status 4", e.text());
      assertEquals("input", read(out.reader()));
      assertEquals("error\n", read(err.reader()));
      assertFalse(out.writer().closed());
    }
  }

  private static String read(Fd fd) throws IOException, InterruptedException {
    fd.nonBlocking(true);
    byte[] buffer = new byte[100];
    return new String(buffer, 0, fd.read(buffer), StandardCharsets.UTF_8);
  }

  @Test
  void aProgramThatIsNotInPathIsNamed() throws Exception {
    var fake = new FakeRunc(dir, "true");
    var e = assertThrows(RuncException.class, () -> fake.runc("no-runc", FakeRunc.LONG).run(START));
    assertEquals("exec: \"no-runc\": executable file not found in $PATH", e.text());
    assertEquals("P: unable to retrieve OCI runtime error (open " + fake.log() + ": no such file or directory): "
        + e.text(), e.logged("P"));
  }

  @Test
  void aPathThatDoesNotExistOrCannotBeExecutedIsNamed() throws Exception {
    var fake = new FakeRunc(dir, "true");
    var e = assertThrows(RuncException.class, () -> fake.runc(dir + "/none", FakeRunc.LONG).runSilent(START));
    assertEquals("fork/exec " + dir + "/none: no such file or directory", e.text());
    Files.writeString(dir.resolve("data"), "no program");
    e = assertThrows(RuncException.class, () -> fake.runc(dir + "/data", FakeRunc.LONG).run(START));
    assertEquals("fork/exec " + dir + "/data: permission denied", e.text());
  }

  @Test
  void anAbsolutePathRunsAndAppearsInErrorsAsConfigured() throws Exception {
    var fake = new FakeRunc(dir, "[ $7 = ps ] && echo '[3,4]' || exit 1");
    CommandRunner runc = fake.runc(fake.path(), FakeRunc.LONG);
    assertEquals("[3,4]\n", runc.run(new RuncCommand.Ps("web-1")));
    var e = assertThrows(RuncException.class, () -> runc.runSilent(START));
    assertEquals(fake.path() + " did not terminate successfully: exit status 1", e.text());
  }

  @Test
  void theProgramIsLookedUpOnce() throws Exception {
    var fake = new FakeRunc(dir, "echo first");
    CommandRunner runc = fake.runc(FakeRunc.LONG);
    assertEquals("first\n", runc.run(START));
    Files.delete(Path.of(fake.path()));
    var e = assertThrows(RuncException.class, () -> runc.run(START));
    assertEquals("fork/exec " + fake.path() + ": no such file or directory", e.text());
  }

  @Test
  void manyCallsAtOnceAreServed() throws Exception {
    var fake = new FakeRunc(dir, "echo $8");
    CommandRunner runc = fake.runc(FakeRunc.LONG);
    var outputs = new CompletableFuture<?>[40];
    for (int i = 0; i < outputs.length; i++) {
      String id = "c" + i;
      var output = new CompletableFuture<String>();
      outputs[i] = output;
      Thread.ofVirtual().start(() -> {
        try {
          output.complete(runc.run(new RuncCommand.Start(id)));
        } catch (RuncException | InterruptedException e) {
          output.completeExceptionally(e);
        }
      });
    }
    for (int i = 0; i < outputs.length; i++) {
      assertEquals("c" + i + "\n", outputs[i].get(30, TimeUnit.SECONDS));
    }
  }
}
