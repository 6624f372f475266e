package io.loomshim.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Fd;
import io.loomshim.linux.Posix;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContainerLogsTest {
  @TempDir Path temp;
  private final ContainerLogs logs = new ContainerLogs();
  private final ByteArrayOutputStream stderr = new ByteArrayOutputStream();
  private PrintStream realStderr;

  @BeforeEach
  void takeStderr() {
    realStderr = System.err;
    System.setErr(new PrintStream(stderr, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void giveBack() {
    System.setErr(realStderr);
    logs.close("a");
    logs.close("b");
  }

  /** A bundle whose log containerd reads. */
  private Fd bundle(String id) throws Exception {
    Path bundle = Files.createDirectories(temp.resolve(id));
    Path fifo = bundle.resolve("log");
    if (!Files.exists(fifo)) {
      Posix.fifo(fifo);
    }
    return Fd.open(fifo.toString(), Fd.O_RDONLY | Fd.O_NONBLOCK, 0);
  }

  private void open(String id, Path bundle) {
    ContainerLogs.find(bundle).ifPresent(log -> logs.put(id, log));
  }

  private void write(String id, String text) {
    logs.write(id, text.getBytes(StandardCharsets.UTF_8));
  }

  private static String read(Fd fd) throws IOException {
    byte[] buffer = new byte[1 << 17];
    int count = fd.tryRead(buffer);
    return count <= 0 ? "" : new String(buffer, 0, count, StandardCharsets.UTF_8);
  }

  private String stderr() {
    return stderr.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aLineGoesIntoTheLogOfItsContainerAndOneAboutNoneIntoTheNewest() throws Exception {
    try (Fd a = bundle("a");
        Fd b = bundle("b")) {
      open("a", temp.resolve("a"));
      open("b", temp.resolve("b"));
      write("a", "about a\n");
      write("", "about none\n");
      write("stranger", "about a stranger\n");
      assertEquals("about a\n", read(a));
      assertEquals("about none\nabout a stranger\n", read(b));
      assertEquals("", stderr());
    }
  }

  @Test
  void whenTheNewestLogIsClosedTheOneBeforeItTakesItsPlace() throws Exception {
    try (Fd a = bundle("a");
        Fd b = bundle("b")) {
      open("a", temp.resolve("a"));
      open("b", temp.resolve("b"));
      logs.close("b");
      write("", "about none\n");
      assertEquals("about none\n", read(a));
      assertEquals(0, b.tryRead(new byte[1]), "the writing end is still open");
      assertEquals("", stderr());
    }
  }

  @Test
  void withoutAnyContainerStderrTakesTheLine() {
    write("", "early\n");
    assertEquals("early\n", stderr());
  }

  @Test
  void aBundleWithoutALogOrWithoutAReaderIsNoError() throws Exception {
    open("a", Files.createDirectory(temp.resolve("a")));
    bundle("b").close();
    open("b", temp.resolve("b"));
    write("a", "one\n");
    write("b", "two\n");
    assertEquals("one\ntwo\n", stderr());
  }

  @Test
  void aReaderThatHasGoneIsReplacedByStderrAndMayComeBack() throws Exception {
    Fd reader = bundle("a");
    open("a", temp.resolve("a"));
    reader.close();
    write("a", "alone\n");
    assertEquals("alone\n", stderr());
    try (Fd back = bundle("a")) {
      write("a", "together\n");
      assertEquals("together\n", read(back));
    }
  }

  @Test
  void aFullLogBlocksNobody() throws Exception {
    try (Fd a = bundle("a")) {
      open("a", temp.resolve("a"));
      String line = "x".repeat(999) + "\n";
      for (int i = 0; i < 100; i++) {
        write("a", line);
      }
      int inFifo = read(a).length();
      assertTrue(inFifo > 0);
      assertEquals(100 * line.length(), inFifo + stderr.size());
    }
  }

  @Test
  void aClosedLogIsClosedAndItsLinesGoToStderr() throws Exception {
    try (Fd a = bundle("a")) {
      open("a", temp.resolve("a"));
      logs.close("a");
      logs.close("a");
      write("a", "late\n");
      assertEquals(0, a.tryRead(new byte[1]), "the writing end is still open");
      assertEquals("late\n", stderr());
    }
  }

  @Test
  void aSecondContainerOfTheSameNameHasItsOwnLog() throws Exception {
    try (Fd a = bundle("a");
        Fd b = bundle("b")) {
      open("a", temp.resolve("a"));
      open("a", temp.resolve("b"));
      write("a", "second\n");
      assertEquals(0, a.tryRead(new byte[1]), "the first one is still open");
      assertEquals("second\n", read(b));
    }
  }

  @Test
  void stderrTakesNoMoreThanItsLimit() {
    String line = "y".repeat(1 << 16);
    for (int i = 0; i < 20; i++) {
      write("", line);
    }
    assertEquals(ContainerLogs.STDERR_BYTES_MAX, stderr.size());
  }
}
