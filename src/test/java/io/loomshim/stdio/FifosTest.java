package io.loomshim.stdio;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.threads.Threads;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class FifosTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  @TempDir Path temp;
  private List<String> before;
  private String path;

  @BeforeEach
  void prepare() throws Exception {
    path = Rig.fifo(temp, "out");
    before = Rig.open(temp);
  }

  @AfterEach
  void everyDescriptorIsClosed() {
    Rig.awaitOpen(temp, before);
  }

  /** Opens the writing end on a thread of its own. */
  private Thread opening(Duration limit, CompletableFuture<Fd> opened) {
    return Threads.start("opening", () -> {
      try {
        opened.complete(Fifos.openWriter(path, limit));
      } catch (Exception e) {
        opened.completeExceptionally(e);
      }
    });
  }

  @Test
  void aFifoIsOneThroughSymbolicLinksTooAndAFileIsNot() throws Exception {
    Path link = Files.createSymbolicLink(temp.resolve("link"), Path.of(path));
    assertTrue(Fifos.isFifo(path));
    assertTrue(Fifos.isFifo(link.toString()));
    assertFalse(Fifos.isFifo(Files.createFile(temp.resolve("file")).toString()));
    assertFalse(Fifos.isFifo("/dev/null"));
    assertFalse(Fifos.isFifo(temp.toString()));
    assertThrows(NoSuchFileException.class, () -> Fifos.isFifo(temp.resolve("missing").toString()));
  }

  @Test
  void withAReaderTheWriterIsThereAtOnce() throws Exception {
    try (Fd reader = Rig.reader(path);
        Fd writer = Fifos.openWriter(path, Duration.ZERO)) {
      Rig.write(writer, "x");
      assertEquals("x", Rig.text(reader, 1));
    }
  }

  @Test
  void aReaderThatComesLateIsWaitedFor() throws Exception {
    var opened = new CompletableFuture<Fd>();
    Thread opening = opening(LONG, opened);
    await().until(() -> opening.getState() == Thread.State.TIMED_WAITING);
    assertFalse(opened.isDone());
    try (Fd reader = Rig.reader(path);
        Fd writer = opened.get(20, TimeUnit.SECONDS)) {
      Rig.write(writer, "y");
      assertEquals("y", Rig.text(reader, 1));
    }
  }

  @Test
  void withoutAReaderTheLimitIsToldInTheKnownWords() {
    var limit = Duration.ofMillis(30);
    long begin = System.nanoTime();
    var e = assertThrows(StatusException.class, () -> Fifos.openWriter(path, limit));
    assertTrue(System.nanoTime() - begin >= limit.toNanos());
    assertEquals(Code.DEADLINE_EXCEEDED, e.code());
    assertEquals(
        "containerd-shim: opening w/o fifo \"" + path + "\" failed: context deadline exceeded", e.getMessage());
    assertEquals(Duration.ofSeconds(30), Fifos.READER_WAIT_MAX);
  }

  @Test
  void anInterruptEndsTheWait() throws Exception {
    var opened = new CompletableFuture<Fd>();
    Thread opening = opening(LONG, opened);
    opening.interrupt();
    var e = assertThrows(Exception.class, () -> opened.get(20, TimeUnit.SECONDS));
    assertEquals(InterruptedException.class, e.getCause().getClass());
  }

  @Test
  void aMissingFifoIsAnErrorAtOnce() {
    String missing = temp.resolve("missing").toString();
    var e = assertThrows(ErrnoException.class, () -> Fifos.openWriter(missing));
    assertEquals("open " + missing + ": no such file or directory", e.getMessage());
  }

  @Test
  void theReaderDoesNotWaitForAWriter() throws Exception {
    try (Fd reader = Fifos.openReader(path)) {
      assertEquals(0, reader.tryRead(new byte[1]));
    }
  }
}
