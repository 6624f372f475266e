package io.loomshim.stdio;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import io.loomshim.process.Child;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real children on real fifos, as a client that keeps coming and going sees them. */
@Timeout(30)
class ProcessIoTest {
  private static final LogContext CONTEXT = new LogContext("web-1", "ns");

  private static final ProcessIo.Owner ROOT = new ProcessIo.Owner(0, 0);
  private static final ProcessIo.Owner USER = new ProcessIo.Owner(1000, 1001);

  @TempDir Path temp;
  private final List<Child> children = new ArrayList<>();
  private List<String> before;
  private String in;
  private String out;

  @BeforeEach
  void prepare() throws Exception {
    in = Rig.fifo(temp, "in");
    out = Rig.fifo(temp, "out");
    before = Rig.open(temp);
  }

  @AfterEach
  void everyChildHasEndedAndEveryDescriptorIsClosed() {
    for (Child child : children) {
      child.close();
    }
    Rig.awaitOpen(temp, before);
  }

  private static ProcessIo open(String stdin, String stdout, String stderr, ProcessIo.Owner owner)
      throws IOException, InterruptedException {
    return ProcessIo.open("io/test", new StdioPaths(stdin, stdout, stderr, false), owner, CONTEXT);
  }

  private Child start(ProcessIo io, String script) throws IOException, InterruptedException {
    Child child = Rig.sh(script, io.childFds());
    children.add(child);
    io.started();
    return child;
  }

  private static Deadline soon() {
    return Deadline.in(Duration.ofSeconds(30));
  }

  /** To close it may take as long as its file system does, for the next daemon too. */
  @Test
  void aFileOfTheClientsStaysOneWhenAnotherDaemonGoesOn() throws Exception {
    Path file = temp.resolve("log");
    var paths = new StdioPaths("", "file://" + file, "", false);
    Pipe pipe = Pipe.open();
    pipe.reader().nonBlocking(true);
    Fd log = Fd.open(file.toString(), Fd.O_CREAT | Fd.O_WRONLY | Fd.O_APPEND, 0600);
    var held = List.of(new Held("stdout.file.from", pipe.reader()), new Held("stdout.file.to", log));
    try (Streams streams = Streams.resume("io/test", paths, held)) {
      String end = " of " + paths.stdout();
      assertEquals(List.of("stdout.file.to"), streams.held().stream()
          .filter(one -> one.fd().toString().endsWith(end)).map(Held::role).toList());
      pipe.writer().close();
      assertTrue(streams.awaitDrained(soon()));
    }
  }

  // ---- fifos ----

  @Test
  void everyStreamIsAPipeOfTheProcess() throws Exception {
    String err = Rig.fifo(temp, "err");
    try (Fd client = Rig.reader(out);
        Fd errors = Rig.reader(err);
        ProcessIo io = open(in, out, err, ROOT)) {
      Child child = start(io, "readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2");
      assertEquals(0, child.await());
      assertTrue(io.awaitDrained(soon()));
      String[] targets = Rig.text(client, 1000).split("\n");
      assertEquals(3, Set.of(targets).size());
      for (String target : targets) {
        assertTrue(target.startsWith("pipe:["), target);
      }
    }
  }

  @Test
  void aClientThatLeavesAndComesBackMissesNothingAndEndsNobody() throws Exception {
    Fd client = Rig.reader(out);
    try (ProcessIo io = open(in, out, "", ROOT);
        Fd go = Rig.writer(in)) {
      Child child = start(io, "echo one; read x; echo two; echo three");
      assertEquals("one\n", Rig.text(client, 4));
      client.close();
      Rig.write(go, "go\n");
      assertEquals(0, child.await(), "a writer without a reader would have ended by SIGPIPE");
      try (Fd back = Rig.reader(out)) {
        assertEquals("two\nthree\n", Rig.text(back, 10));
      }
    } finally {
      client.close();
    }
  }

  @Test
  void whatAProcessWroteJustBeforeItsEndIsThereAfterTheClose() throws Exception {
    try (Fd client = Rig.reader(out)) {
      try (ProcessIo io = open("", out, "", ROOT)) {
        assertEquals(0, start(io, "echo last words").await());
        assertTrue(io.awaitDrained(soon()));
      }
      assertEquals("last words\n", Rig.text(client, 100));
    }
  }

  @Test
  void stdinOutlivesItsClientsAndEndsAfterCloseStdinAndTheLastOfThem() throws Exception {
    try (Fd client = Rig.reader(out);
        ProcessIo io = open(in, out, "", ROOT)) {
      Child child = start(io, "exec cat");
      try (Fd first = Rig.writer(in)) {
        Rig.write(first, "a");
        assertEquals("a", Rig.text(client, 1));
      }
      try (Fd second = Rig.writer(in)) {
        Rig.write(second, "b");
        assertEquals("b", Rig.text(client, 1));
        io.closeStdin();
        io.closeStdin();
        Rig.write(second, "c");
        assertEquals("c", Rig.text(client, 1));
      }
      assertEquals(0, child.await());
    }
  }

  @Test
  void aProcessThatNobodyWritesToEndsWithCloseStdin() throws Exception {
    try (Fd client = Rig.reader(out);
        ProcessIo io = open(in, out, "", ROOT)) {
      Child child = start(io, "cat; echo end");
      io.closeStdin();
      assertEquals(0, child.await());
      assertEquals("end\n", Rig.text(client, 4));
    }
  }

  @Test
  void theProcessGetsBlockingStreams() throws Exception {
    try (Fd client = Rig.reader(out);
        ProcessIo io = open(in, out, "", ROOT)) {
      Child child = start(io, "grep flags: /proc/self/fdinfo/0 /proc/self/fdinfo/1");
      assertEquals(0, child.await());
      String[] lines = Rig.text(client, 1000).split("\n");
      assertEquals(2, lines.length);
      for (String line : lines) {
        int flags = Integer.parseInt(line.substring(line.lastIndexOf('\t') + 1), 8);
        assertEquals(0, flags & Fd.O_NONBLOCK, line);
      }
    }
  }

  // ---- pipes ----

  @Test
  void aProcessThatMustOwnItsStreamsGetsPipesAndTheFifosKeepTheirOwner() throws Exception {
    String err = Rig.fifo(temp, "err");
    try (Fd client = Rig.reader(out);
        Fd errors = Rig.reader(err);
        ProcessIo io = open(in, out, err, USER)) {
      Child child = start(io, "stat -L -c '%u:%g %F' /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2; echo oops >&2");
      assertEquals(0, child.await());
      assertTrue(io.awaitDrained(soon()));
      assertEquals("1000:1001 fifo\n".repeat(3), Rig.text(client, 1000));
      assertEquals("oops\n", Rig.text(errors, 1000));
      assertEquals(0, Files.getAttribute(Path.of(out), "unix:uid"));
      assertEquals(0, Files.getAttribute(Path.of(in), "unix:uid"));
    }
  }

  @Test
  void aMebibyteThroughThePipesArrivesUnchanged() throws Exception {
    byte[] data = new byte[1 << 20];
    new Random(7).nextBytes(data);
    Path file = Files.write(temp.resolve("data"), data);
    try (Fd client = Rig.reader(out);
        ProcessIo io = open(in, out, "", USER);
        Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0)) {
      Child child = start(io, "exec cat");
      Fd writer = Fd.open(in, Fd.O_WRONLY | Fd.O_NONBLOCK, 0);
      writer.nonBlocking(false);
      Child source = Rig.sh("exec cat " + file, List.of(nothing, writer, nothing));
      children.add(source);
      writer.close();
      io.closeStdin();
      byte[] arrived = Rig.read(client, data.length);
      assertArrayEquals(data, arrived);
      assertEquals(0, source.await());
      assertEquals(0, child.await());
      assertTrue(io.awaitDrained(soon()));
    }
  }

  @Test
  void outputThatNobodyReadsIsWaitedForUntilTheDeadlineOnly() throws Exception {
    int length = 200_000; // more than the pipe and the fifo hold together
    try (Fd client = Rig.reader(out);
        ProcessIo io = open("", out, "", USER)) {
      Child child = start(io, "head -c " + length + " /dev/zero");
      assertFalse(io.awaitDrained(Deadline.in(Duration.ofMillis(20))));
      assertArrayEquals(new byte[length], Rig.read(client, length));
      assertEquals(0, child.await());
      assertTrue(io.awaitDrained(soon()));
    }
  }

  @Test
  void aCloseEndsWhatStillMoves() throws Exception {
    try (Fd client = Rig.reader(out)) {
      ProcessIo io = open(in, out, "", USER);
      Child child = start(io, "exec cat > /dev/null");
      io.close();
      assertEquals(0, child.await(), "its stdin has no writer any more");
      assertEquals("", Rig.text(client, 1));
    }
  }

  @Test
  void stdinOpenedLateOrTwiceEndsLikeAnyOther() throws Exception {
    try (Fd client = Rig.reader(out);
        ProcessIo io = open(in, out, "", ROOT)) {
      Child child = start(io, "read go; cat /dev/stdin; cat /proc/self/fd/0; echo end");
      try (Fd writer = Rig.writer(in)) {
        Rig.write(writer, "go\nrest\n");
      }
      io.closeStdin();
      assertEquals(0, child.await());
      assertTrue(io.awaitDrained(soon()));
      assertEquals("rest\nend\n", Rig.text(client, 100));
    }
  }

  @Test
  void aProcessInTheBackgroundKeepsTheClientNoLongerThanAMoment() throws Exception {
    Path go = temp.resolve("go");
    try (Fd client = Rig.reader(out);
        ProcessIo io = open("", out, out, ROOT)) {
      Child child = start(io, "(while [ -d " + temp + " ] && [ ! -e " + go + " ]; do sleep 0.05; done) & echo hi");
      assertEquals(0, child.await());
      assertTrue(io.awaitDrained(soon()));
      io.close();
      assertEquals("hi\n", Rig.text(client, 100), "and then the end");
    } finally {
      Files.createFile(go);
    }
  }

  @Test
  void aClientThatReadsLateGetsEverythingOfAProcessWhoseJobStillWrites() throws Exception {
    int length = 100_000; // more than the fifo holds
    Path go = temp.resolve("go");
    try (Fd client = Rig.reader(out);
        ProcessIo io = open("", out, "", ROOT)) {
      Child child = start(io, "(while [ -d " + temp + " ] && [ ! -e " + go + " ]; do sleep 0.05; done) & "
          + "head -c " + length + " /dev/zero");
      assertEquals(0, child.await());
      var drained = new CompletableFuture<Boolean>();
      Threads.start("draining", () -> {
        try {
          drained.complete(io.awaitDrained(soon()));
        } catch (InterruptedException e) {
          drained.completeExceptionally(e);
        }
      });
      assertThrows(TimeoutException.class, () -> drained.get(Pumps.LEFT_OPEN_MAX.toMillis() + 500,
          TimeUnit.MILLISECONDS));
      assertArrayEquals(new byte[length], Rig.read(client, length));
      assertTrue(drained.get(20, TimeUnit.SECONDS));
    } finally {
      Files.createFile(go);
    }
  }

  @Test
  void aCloseThatNobodyHasWaitedForStillDeliversWhatTheProcessHasWritten() throws Exception {
    try (Fd client = Rig.reader(out)) {
      try (ProcessIo io = open("", out, "", ROOT)) {
        assertEquals(0, start(io, "echo last words").await());
      }
      assertEquals("last words\n", Rig.text(client, 100));
    }
  }

  // ---- no fifos ----

  @Test
  void noStreamsMeansNothingThreeTimes() throws Exception {
    try (ProcessIo io = open("", "", "", ROOT)) {
      assertEquals(3, io.childFds().size());
      for (Fd fd : io.childFds()) {
        assertEquals("/dev/null", Rig.target(fd.number()));
      }
      assertEquals(0, start(io, "cat && echo x && echo y >&2").await());
      io.closeStdin();
      assertTrue(io.awaitDrained(soon()));
    }
  }

  @Test
  void anEmptyStderrBesideAnOutputIsNothing() throws Exception {
    try (Fd client = Rig.reader(out);
        ProcessIo io = open("", out, "", ROOT)) {
      assertEquals("/dev/null", Rig.target(io.childFds().get(0).number()));
      assertEquals("/dev/null", Rig.target(io.childFds().get(2).number()));
      assertEquals(0, start(io, "echo seen; echo lost >&2").await());
      assertEquals("seen\n", Rig.text(client, 5));
    }
  }

  @Test
  void aPlainFileIsAppendedToByBothStreams() throws Exception {
    Path file = Files.writeString(temp.resolve("file"), "old\n");
    try (ProcessIo io = open("", file.toString(), file.toString(), ROOT)) {
      assertEquals(0, start(io, "echo out; echo err >&2; echo out").await());
      assertTrue(io.awaitDrained(soon()));
    }
    assertEquals("old\nout\nerr\nout\n", Files.readString(file));
  }

  @Test
  void aFileUriMakesTheFileAndTakesStderrTooWhateverWasSaid() throws Exception {
    Path file = temp.resolve("a/b/log");
    try (ProcessIo io = open("", "file://" + file, "/nowhere/at/all", ROOT)) {
      assertEquals(0, start(io, "echo out; echo err >&2").await());
      assertTrue(io.awaitDrained(soon()));
    }
    assertEquals("out\nerr\n", Files.readString(file));
  }

  @Test
  void nothingThatAProcessDoesToItsOutputReachesTheFile() throws Exception {
    Path file = Files.writeString(temp.resolve("file"), "old\n");
    try (ProcessIo io = open("", "file://" + file, "", ROOT)) {
      Child child = start(io, "ulimit -f 0; echo one; echo two > /dev/stdout; echo three | tee /dev/stderr;"
          + " chmod 0 /proc/self/fd/1; chown 1000 /proc/self/fd/1; echo four");
      assertEquals(0, child.await());
      assertTrue(io.awaitDrained(soon()));
    }
    assertEquals("old\none\ntwo\nthree\nthree\nfour\n", Files.readString(file));
    assertEquals(0, Files.getAttribute(file, "unix:uid"));
    assertEquals("rw-r--r--", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
  }

  @Test
  void linesOfBothStreamsInOneFileStayWholeAndInOrder() throws Exception {
    Path file = temp.resolve("file");
    int count = 2000;
    try (ProcessIo io = open("", "file://" + file, "", ROOT)) {
      Child child = start(io, "i=0; while [ $i -lt " + count + " ]; do echo out $i; echo err $i >&2; i=$((i+1)); done");
      assertEquals(0, child.await());
      assertTrue(io.awaitDrained(soon()));
    }
    var expected = new StringBuilder();
    for (int i = 0; i < count; i++) {
      expected.append("out ").append(i).append("\nerr ").append(i).append('\n');
    }
    assertEquals(expected.toString(), Files.readString(file));
  }

  @Test
  void whatAFileDoesNotTakeHoldsNobodyUp() throws Exception {
    try (ProcessIo io = open("", "/dev/full", "", ROOT)) {
      assertEquals(0, start(io, "head -c 300000 /dev/zero").await());
      assertTrue(io.awaitDrained(soon()));
    }
  }

  @Test
  void aFileThatAnotherProcessCutsOffGoesOnAtItsEnd() throws Exception {
    Path file = temp.resolve("file");
    try (Fd client = Rig.reader(out);
        ProcessIo io = open(in, "file://" + file, "", ROOT);
        Fd writer = Rig.writer(in)) {
      Child child = start(io, "exec cat");
      Rig.write(writer, "before\n");
      await().until(() -> Files.size(file) > 0);
      Files.writeString(file, "");
      Rig.write(writer, "after\n");
      writer.close();
      io.closeStdin();
      assertEquals(0, child.await());
      assertTrue(io.awaitDrained(soon()));
      assertEquals("after\n", Files.readString(file));
    }
  }

  @Test
  void stdinMayBeAFile() throws Exception {
    Path file = Files.writeString(temp.resolve("file"), "content");
    try (Fd client = Rig.reader(out);
        ProcessIo io = open(file.toString(), out, "", ROOT)) {
      assertEquals(0, start(io, "exec cat").await());
      assertEquals("content", Rig.text(client, 7));
    }
  }

  // ---- failures ----

  @Test
  void aMissingPathIsNamedAndWhatWasOpenedIsClosed() {
    String missing = temp.resolve("missing").toString();
    String why = "open " + missing + ": no such file or directory";
    var stdout = assertThrows(IOException.class, () -> open(in, missing, "", ROOT));
    assertEquals("containerd-shim: opening file \"" + missing + "\" failed: " + why, stdout.getMessage());
    var stdin = assertThrows(IOException.class, () -> open(missing, out, "", USER));
    assertEquals("containerd-shim: opening " + missing + " failed: " + why, stdin.getMessage());
  }

  @Test
  void aFailureAfterPipesWereMadeClosesThemToo() throws Exception {
    try (Fd client = Rig.reader(out)) {
      String missing = temp.resolve("missing").toString();
      assertThrows(IOException.class, () -> open(in, out, missing, USER));
      assertEquals(0, client.tryRead(new byte[1]), "nobody of ours writes any more");
    }
  }

  @Test
  void aCancelledOpenClosesWhatItHas() throws Exception {
    var failed = new CompletableFuture<Throwable>();
    Thread opening = Threads.start("opening", () -> {
      try (ProcessIo io = open(in, out, "", USER)) {
        failed.complete(new AssertionError("opened without a reader: " + io));
      } catch (Exception e) {
        failed.complete(e);
      }
    });
    opening.interrupt();
    assertEquals(InterruptedException.class, failed.get(20, TimeUnit.SECONDS).getClass());
  }

  @Test
  void streamsThatNoProcessWasStartedOnAreClosed() throws Exception {
    try (Fd client = Rig.reader(out)) {
      open(in, out, out, ROOT).close();
      open(in, out, out, USER).close();
      assertEquals(0, client.tryRead(new byte[1]));
    }
  }
}
