package io.loomshim.stdio;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Poller;
import io.loomshim.linux.Pty;
import io.loomshim.testing.OpenFiles;
import io.loomshim.threads.Threads;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ConsoleTest {
  private static final LogContext CONTEXT = new LogContext("web-1", "ns");

  private static final AtomicInteger NEXT = new AtomicInteger();

  @TempDir
  Path directory;

  private Map<String, Integer> before;
  private int waitingBefore; // of other rooms, whose threads wait for ever

  /** A client, a terminal and the console between them. The test plays the client and the process. */
  private final class Bench implements AutoCloseable {
    final String in;
    final String out;
    final Console console;
    Fd reader;
    Fd writer;
    Fd slave;

    Bench() throws Exception {
      int number = NEXT.incrementAndGet();
      in = Terminals.fifo(directory.resolve("in" + number));
      out = Terminals.fifo(directory.resolve("out" + number));
      reader = Fifos.openReader(out);
      console = Console.open("test/" + number, new StdioPaths(in, out, "", true), CONTEXT);
      writer = Fifos.openWriter(in);
      Fd master = Terminals.master();
      slave = Terminals.slave(master);
      console.start(Pty.of(master));
    }

    @Override
    public void close() {
      console.close();
      slave.close();
      reader.close();
      writer.close();
    }
  }

  @BeforeEach
  void look() throws Exception {
    new Bench().close();
    before = OpenFiles.now();
    waitingBefore = Poller.shared().waiting();
  }

  @AfterEach
  void nothingIsLeftOpenAndNobodyWaits() {
    assertEquals(before, OpenFiles.now());
    assertEquals(waitingBefore, Poller.shared().waiting());
  }

  private static void write(Fd to, String text) throws Exception {
    write(to, text.getBytes());
  }

  private static void write(Fd to, byte[] data) throws Exception {
    for (int done = 0; done < data.length; ) {
      int count = to.tryWrite(data, done, Math.min(65536, data.length - done));
      if (count < 0) {
        Poller.shared().awaitWritable(to);
      }
      done += Math.max(0, count);
    }
  }

  /** Reads exactly {@code length} bytes. */
  private static byte[] read(Fd from, int length) throws Exception {
    var all = new ByteArrayOutputStream();
    while (all.size() < length) {
      byte[] buffer = new byte[Math.min(65536, length - all.size())];
      int count = from.read(buffer);
      assertTrue(count > 0, "ended after " + all.size());
      all.write(buffer, 0, count);
    }
    return all.toByteArray();
  }

  private static byte[] readAll(Fd from) throws Exception {
    var all = new ByteArrayOutputStream();
    byte[] buffer = new byte[65536];
    for (int count = from.read(buffer); count > 0; count = from.read(buffer)) {
      all.write(buffer, 0, count);
    }
    return all.toByteArray();
  }

  /** Writes until nothing more is taken for good: the fifo and the terminal are full. */
  private static int fill(Fd to) throws Exception {
    int total = 0;
    byte[] data = new byte[1024];
    do {
      Arrays.fill(data, (byte) total);
      int count = to.tryWrite(data, 0, data.length);
      total += Math.max(0, count);
      if (count >= 0) {
        continue;
      }
    } while (Poller.shared().awaitWritable(to, Deadline.in(Duration.ofMillis(300))));
    return total;
  }

  private static Deadline soon() {
    return Deadline.in(Duration.ofSeconds(30));
  }

  @Test
  void twentyMebibytesComeThroughUnchanged() throws Exception {
    long seed = new Random().nextLong();
    byte[] data = new byte[20 << 20];
    new Random(seed).nextBytes(data);
    try (var bench = new Bench()) {
      Thread process = Threads.start("process", () -> {
        try {
          write(bench.slave, data);
        } catch (Exception e) {
          throw new AssertionError(e);
        }
      });
      assertArrayEquals(data, read(bench.reader, data.length), "seed " + seed);
      process.join();
    }
  }

  @Test
  void oneMebibyteGoesInUnchanged() throws Exception {
    long seed = new Random().nextLong();
    byte[] data = new byte[1 << 20];
    new Random(seed).nextBytes(data);
    try (var bench = new Bench()) {
      Thread client = Threads.start("client", () -> {
        try {
          write(bench.writer, data);
        } catch (Exception e) {
          throw new AssertionError(e);
        }
      });
      var sum = new CRC32();
      sum.update(data);
      var arrived = new CRC32();
      arrived.update(read(bench.slave, data.length));
      assertEquals(sum.getValue(), arrived.getValue(), "seed " + seed);
      client.join();
    }
  }

  @Test
  void whatAProcessWroteBeforeItsEndIsDeliveredAndThenTheOutputEnds() throws Exception {
    try (var bench = new Bench()) {
      write(bench.slave, "last words");
      bench.slave.close();
      bench.console.shutdown();
      assertTrue(bench.console.awaitDrained(soon()));
      assertEquals("last words", new String(readAll(bench.reader)));
    }
  }

  @Test
  void aFullTerminalLosesNothingAtTheEnd() throws Exception {
    try (var bench = new Bench()) {
      int written = fill(bench.slave);
      assertTrue(written > 65536, "only " + written);
      bench.slave.close();
      bench.console.shutdown();
      assertFalse(bench.console.awaitDrained(Deadline.in(Duration.ofMillis(50))));
      assertEquals(written, readAll(bench.reader).length);
      assertTrue(bench.console.awaitDrained(soon()));
    }
  }

  @Test
  void aProcessInTheBackgroundIsCutOff() throws Exception {
    try (var bench = new Bench()) {
      Thread client = Threads.start("client", () -> {
        try {
          readAll(bench.reader);
        } catch (Exception e) {
          throw new AssertionError(e);
        }
      });
      Thread background = Threads.start("background", () -> {
        try {
          while (true) {
            write(bench.slave, new byte[4096]);
          }
        } catch (Exception e) {
          // interrupted
        }
      });
      bench.console.shutdown();
      assertTrue(bench.console.awaitDrained(soon()));
      client.join();
      background.interrupt();
      background.join();
    }
  }

  @Test
  void aClientLeavesAndAnotherGetsWhatCameMeanwhile() throws Exception {
    try (var bench = new Bench()) {
      write(bench.slave, "one");
      assertEquals("one", new String(read(bench.reader, 3)));
      bench.reader.close();
      bench.writer.close();
      write(bench.slave, "two");
      bench.reader = Fifos.openReader(bench.out);
      bench.writer = Fifos.openWriter(bench.in);
      assertEquals("two", new String(read(bench.reader, 3)));
      write(bench.writer, "three");
      assertEquals("three", new String(read(bench.slave, 5)));
    }
  }

  @Test
  void aTerminalThatNobodyHasOpenIsWaitedForWithoutHaste() throws Exception {
    try (var bench = new Bench()) {
      Fd second = again(bench.slave);
      bench.slave.close();
      second.close();
      long poller = pollerNanos();
      assertFalse(Poller.shared().awaitReadable(bench.reader, Deadline.in(Duration.ofMillis(400))));
      long spent = pollerNanos() - poller;
      assertTrue(spent < 100_000_000, "poller worked for " + spent + " ns");
      assertFalse(bench.console.awaitDrained(Deadline.in(Duration.ZERO)));
    }
  }

  @Test
  void aTerminalThatIsOpenedAgainGoesOnBothWays() throws Exception {
    try (var bench = new Bench()) {
      String path = Files.readSymbolicLink(Path.of("/proc/self/fd/" + bench.slave.number())).toString();
      write(bench.slave, "one");
      bench.slave.close();
      assertEquals("one", new String(read(bench.reader, 3)));
      write(bench.writer, "kept");
      assertFalse(Poller.shared().awaitReadable(bench.reader, Deadline.in(Duration.ofMillis(100))));
      bench.slave = Fd.open(path, Fd.O_RDWR | Fd.O_NONBLOCK | 0400, 0);
      write(bench.slave, "two");
      assertEquals("two", new String(read(bench.reader, 3)));
      assertEquals("kept", new String(read(bench.slave, 4)));
    }
  }

  private static Fd again(Fd slave) throws IOException, InterruptedException {
    return slave.duplicate();
  }

  /** The processor time of the poller's thread. */
  private static long pollerNanos() {
    var threads = ManagementFactory.getThreadMXBean();
    for (long id : threads.getAllThreadIds()) {
      var info = threads.getThreadInfo(id);
      if (info != null && info.getThreadName().equals("poller")) {
        return threads.getThreadCpuTime(id);
      }
    }
    throw new AssertionError("no poller");
  }

  @Test
  void theEndOfStdinHangsTheTerminalUpOnceTheLastWriterIsGone() throws Exception {
    try (var bench = new Bench()) {
      write(bench.slave, "out");
      bench.console.closeStdin();
      bench.console.closeStdin();
      assertFalse(Poller.shared().awaitReadable(bench.slave, Deadline.in(Duration.ofMillis(100))));
      bench.writer.close();
      assertEquals(0, bench.slave.read(new byte[16]));
      assertEquals("out", new String(readAll(bench.reader)));
      bench.console.resize(80, 25);
      bench.console.shutdown();
      assertTrue(bench.console.awaitDrained(soon()));
    }
  }

  @Test
  void aClientThatDoesNotReadDoesNotHoldUpTheHangUp() throws Exception {
    try (var bench = new Bench()) {
      fill(bench.slave);
      bench.console.closeStdin();
      bench.writer.close();
      assertEquals(0, bench.slave.read(new byte[16]));
    }
  }

  @Test
  void theSizeOfTheWindowReachesTheTerminal() throws Exception {
    try (var bench = new Bench()) {
      bench.console.resize(100, 30);
      assertEquals("30 100", Terminals.size(bench.slave));
      bench.console.resize(65536 * 3 + 2, 1);
      assertEquals("1 2", Terminals.size(bench.slave));
      bench.console.close();
      bench.console.resize(80, 25);
    }
  }

  @Test
  void withoutATerminalYetAllIsQuiet() throws Exception {
    String out = Terminals.fifo(directory.resolve("quiet"));
    var quiet = new StdioPaths("", out, "x", true);
    try (Fd reader = Fifos.openReader(out); var console = Console.open("quiet", quiet, CONTEXT)) {
      console.resize(80, 25);
      console.closeStdin();
      console.shutdown();
      assertTrue(console.awaitDrained(soon()));
      assertEquals(-1, reader.tryRead(new byte[1]));
    }
  }

  @Test
  void closingEndsWhatIsHeldUpByAFullFifo() throws Exception {
    var bench = new Bench();
    fill(bench.slave);
    write(bench.writer, "unread");
    bench.close();
    bench.console.close();
  }

  @Test
  void aFileIsAppendedTo() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "before ");
    fileOutput(file.toString(), "after");
    assertEquals("before after", Files.readString(file));
    Path fresh = directory.resolve("new/file");
    fileOutput("file://" + fresh, "first");
    assertEquals("first", Files.readString(fresh));
  }

  private static void fileOutput(String stdout, String text) throws Exception {
    Fd master = Terminals.master();
    var paths = new StdioPaths("", stdout, "", true);
    try (var console = Console.open("file", paths, CONTEXT); Fd slave = Terminals.slave(master)) {
      console.start(Pty.of(master));
      write(slave, text);
      console.shutdown();
      assertTrue(console.awaitDrained(soon()));
    }
  }

  @Test
  void anOutputThatIsOpenAlreadyIsUsedAndClosed() throws Exception {
    String out = Terminals.fifo(directory.resolve("given"));
    Fd master = Terminals.master();
    try (Fd reader = Fifos.openReader(out); Fd slave = Terminals.slave(master);
        var console = Console.open("given", "", Fifos.openWriter(out))) {
      console.start(Pty.of(master));
      write(slave, "text");
      console.shutdown();
      assertEquals("text", new String(read(reader, 4)));
      assertEquals(0, reader.read(new byte[1]));
    }
  }

  @Test
  void withoutStdoutThereIsAClearError() {
    var none = new StdioPaths("", "", "", true);
    assertTrue(assertThrows(IOException.class, () -> Console.open("none", none, CONTEXT)).getMessage()
        .endsWith("no such file or directory"));
    var missing = new StdioPaths("", directory + "/missing", "", true);
    assertTrue(assertThrows(IOException.class, () -> Console.open("missing", missing, CONTEXT)).getMessage()
        .endsWith(directory + "/missing: no such file or directory"));
  }

  @Test
  void aStdinThatIsMissingIsAnErrorThatNamesIt() throws Exception {
    String out = Terminals.fifo(directory.resolve("half"));
    try (Fd reader = Fifos.openReader(out)) {
      assertTrue(reader.number() > 0);
      var paths = new StdioPaths("/nowhere", out, "", true);
      String text = assertThrows(StdinException.class, () -> Console.open("half", paths, CONTEXT)).getMessage();
      assertTrue(text.startsWith("failed to open stdin fifo /nowhere: "), text);
    }
  }

  @Test
  void fiveHundredConsolesWaitAtOnce() throws Exception {
    var benches = new ArrayList<Bench>();
    for (int i = 0; i < 500; i++) {
      benches.add(new Bench());
    }
    await().until(() -> Poller.shared().waiting() == waitingBefore + 1000);
    for (int i = 0; i < 500; i++) {
      write(benches.get(i).slave, "out" + i);
      write(benches.get(i).writer, "in" + i);
    }
    for (int i = 0; i < 500; i++) {
      assertEquals("out" + i, new String(read(benches.get(i).reader, ("out" + i).length())));
      assertEquals("in" + i, new String(read(benches.get(i).slave, ("in" + i).length())));
    }
    for (Bench bench : benches) {
      bench.console.shutdown();
      assertTrue(bench.console.awaitDrained(soon()));
      bench.close();
    }
  }
}
