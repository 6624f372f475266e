package io.loomshim.stdio;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import io.loomshim.linux.Posix;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FlowTest {
  private static final int PIPE_BYTES = 64 * 1024;

  private Pipe source;
  private Pipe target;

  @BeforeEach
  void makePipes() throws Exception {
    source = pipe();
    target = pipe();
  }

  @AfterEach
  void closePipes() {
    source.close();
    target.close();
  }

  private static Pipe pipe() throws ErrnoException {
    Pipe pipe = Pipe.open();
    pipe.reader().nonBlocking(true);
    pipe.writer().nonBlocking(true);
    return pipe;
  }

  private static Deadline soon() {
    return Deadline.in(Duration.ofSeconds(30));
  }

  private static void write(Pipe pipe, String text) throws ErrnoException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    assertEquals(bytes.length, pipe.writer().tryWrite(bytes, 0, bytes.length));
  }

  private static String read(Pipe pipe) throws Exception {
    byte[] bytes = new byte[100];
    return new String(bytes, 0, pipe.reader().read(bytes), StandardCharsets.UTF_8);
  }

  private static void fill(Pipe pipe) throws ErrnoException {
    assertEquals(PIPE_BYTES, pipe.writer().tryWrite(new byte[PIPE_BYTES], 0, PIPE_BYTES));
  }

  private static void empty(Pipe pipe) throws Exception {
    for (int left = PIPE_BYTES; left > 0; ) {
      left -= pipe.reader().read(new byte[left]);
    }
  }

  private Flow start() throws ErrnoException {
    return Flow.start("test", source.reader(), target.writer());
  }

  @Test
  void whatIsWrittenComesOutAndTheEndToo() throws Exception {
    Flow flow = start();
    write(source, "one");
    assertEquals("one", read(target));
    write(source, "two");
    assertEquals("two", read(target));
    source.writer().close();
    assertEquals("", read(target));
    assertTrue(flow.awaitEnd(soon()));
  }

  /** A client that closes its end as soon as it hears of the end of a process loses what comes later. */
  @Test
  void afterATurnThatWasAskedForAllThatWasWrittenIsThere() throws Exception {
    for (int i = 0; i < 500; i++) {
      Flow flow = start();
      write(source, "last words");
      flow.askForTurn();
      flow.awaitTurn(soon());
      assertEquals("last words".length(), target.reader().held());
      flow.stop();
      assertTrue(flow.awaitEnd(soon()));
      closePipes();
      makePipes();
    }
  }

  @Test
  void aTurnThatWasAskedForDoesNotWaitForRoom() throws Exception {
    fill(target);
    Flow flow = start();
    write(source, "last words");
    flow.askForTurn();
    flow.awaitTurn(soon());
    assertEquals(PIPE_BYTES, target.reader().held());
    empty(target);
    assertEquals("last words", read(target));
  }

  @Test
  void manyBytesArriveUnchangedThroughAFullTarget() throws Exception {
    long seed = new Random().nextLong();
    byte[] data = new byte[2_000_000];
    new Random(seed).nextBytes(data);
    Flow flow = start();
    var writing = CompletableFuture.runAsync(() -> {
      try {
        for (int at = 0; at < data.length; ) {
          at += Math.max(0, source.writer().tryWrite(data, at, Math.min(30_001, data.length - at)));
        }
        source.writer().close();
      } catch (ErrnoException e) {
        throw new AssertionError(e);
      }
    });
    byte[] seen = new byte[data.length];
    byte[] buffer = new byte[7_777];
    int at = 0;
    for (int count = target.reader().read(buffer); count > 0; count = target.reader().read(buffer)) {
      System.arraycopy(buffer, 0, seen, at, count);
      at += count;
    }
    writing.get(30, TimeUnit.SECONDS);
    assertEquals(data.length, at);
    assertArrayEquals(data, seen, "seed " + seed);
    assertTrue(flow.awaitEnd(soon()));
  }

  @Test
  void aTargetThatNobodyReadsEndsIt() throws Exception {
    Flow flow = start();
    target.reader().close();
    write(source, "lost");
    assertTrue(flow.awaitEnd(soon()));
    assertTrue(source.reader().closed());
  }

  @Test
  void aFinishedOneDeliversWhatIsThereAndEndsAlthoughSomebodyMayWrite() throws Exception {
    fill(target);
    Flow flow = start();
    write(source, "last");
    flow.finish();
    assertFalse(flow.awaitEnd(Deadline.in(Duration.ofMillis(20))));
    empty(target);
    assertEquals("last", read(target));
    assertTrue(flow.awaitEnd(soon()));
    assertEquals("", read(target));
  }

  @Test
  void aFinishedOneWithNothingToDeliverEndsAtOnce() throws Exception {
    Flow flow = start();
    flow.finish();
    assertTrue(flow.awaitEnd(soon()));
  }

  @Test
  void aStoppedOneGivesUpWhatIsThere() throws Exception {
    fill(target);
    Flow flow = start();
    write(source, "lost");
    flow.stop();
    assertTrue(flow.awaitEnd(soon()));
    empty(target);
    assertEquals("", read(target));
  }

  @Test
  void aThousandIdleOnesHaveNoThreads() throws Exception {
    int before = threads();
    var pipes = new ArrayList<Pipe>();
    var flows = new ArrayList<Flow>();
    for (int i = 0; i < 1000; i++) {
      Pipe from = pipe();
      Pipe to = pipe();
      pipes.add(from);
      pipes.add(to);
      flows.add(Flow.start("idle", from.reader(), to.writer()));
    }
    write(pipes.get(1998), "x");
    assertEquals("x", read(pipes.get(1999)));
    assertTrue(threads() < before + 100, () -> threads() + " threads, " + before + " before");
    for (Flow flow : flows) {
      flow.stop();
    }
    for (Flow flow : flows) {
      assertTrue(flow.awaitEnd(soon()));
    }
    pipes.forEach(Pipe::close);
  }

  private static int threads() {
    return new File("/proc/self/task").list().length;
  }

  /** A process can hold its pipe for ever, in the middle of a write from memory that does not come. */
  @Test
  void oneThatIsStuckInTheKernelHoldsUpNoOther() throws Exception {
    try (var memory = AbsentMemory.open()) {
      Flow stuck = start();
      Pipe pipe = source;
      pipe.writer().nonBlocking(false);
      CompletableFuture<Void> writing = new CompletableFuture<>();
      Thread writer = Thread.ofPlatform().daemon().start(() -> {
        memory.write(pipe.writer());
        writing.complete(null);
      });
      await().until(() -> memory.wanted());
      stuck.finish(); // has the mover ask how much is in the pipe
      Pipe from = pipe();
      Pipe to = pipe();
      Flow other = Flow.start("other", from.reader(), to.writer());
      write(from, "on its way");
      assertEquals("on its way", read(to));
      assertFalse(writing.isDone());
      from.writer().close();
      assertTrue(other.awaitEnd(soon()));
      to.reader().close();
      memory.close();
      writer.join();
      assertTrue(stuck.awaitEnd(soon()));
    }
  }

  /** Whoever serves the others then leaves it alone. */
  @Test
  void oneThatIsToldToFinishWhileItIsStuckDoesSoAfterwards() throws Exception {
    try (var memory = AbsentMemory.open()) {
      write(source, "x");
      Pipe pipe = source;
      pipe.writer().nonBlocking(false);
      Thread writer = Thread.ofPlatform().daemon().start(() -> memory.write(pipe.writer()));
      await().until(() -> memory.wanted());
      Flow stuck = start();
      Pipe from = pipe();
      Pipe to = pipe();
      Flow other = Flow.start("other", from.reader(), to.writer());
      write(from, "on its way");
      assertEquals("on its way", read(to));
      stuck.finish();
      other.askForTurn();
      other.awaitTurn(soon());
      memory.close();
      writer.join();
      assertTrue(stuck.awaitEnd(soon()));
      assertEquals(1 + AbsentMemory.PAGE, target.reader().held());
      from.writer().close();
      assertTrue(other.awaitEnd(soon()));
      to.reader().close();
    }
  }

  /** A page that does not come until this is closed (userfaultfd(2)). */
  private record AbsentMemory(Fd fault, Pointer page) implements AutoCloseable {
    private static final int PAGE = 4096;
    private static final int SYS_USERFAULTFD = System.getProperty("os.arch").equals("amd64") ? 323 : 282;
    private static final long UFFDIO_API = 0xc018aa3fL;
    private static final long UFFDIO_REGISTER = 0xc020aa00L;

    /** What jnr-posix does not have. */
    public interface LibC {
      int syscall(long number, int flags);

      Pointer mmap(Pointer address, long bytes, int protection, int flags, int fd, long offset);

      int ioctl(int fd, long request, ByteBuffer argument);

      long write(int fd, Pointer from, long bytes);
    }

    private static final LibC LIBC = LibraryLoader.create(LibC.class).load("c");

    static AbsentMemory open() throws IOException {
      int fault = LIBC.syscall(SYS_USERFAULTFD, 02004000);
      assumeTrue(fault >= 0, "no userfaultfd here");
      Pointer page = LIBC.mmap(null, PAGE, 3, 0x22, -1, 0);
      Posix.check("UFFDIO_API", LIBC.ioctl(fault, UFFDIO_API, numbers(0xaa, 0, 0)));
      // the pages that are missing there
      Posix.check("UFFDIO_REGISTER", LIBC.ioctl(fault, UFFDIO_REGISTER, numbers(page.address(), PAGE, 1, 0)));
      return new AbsentMemory(new Fd(fault), page);
    }

    private static ByteBuffer numbers(long... numbers) {
      ByteBuffer memory = ByteBuffer.allocateDirect(8 * numbers.length).order(ByteOrder.nativeOrder());
      memory.asLongBuffer().put(numbers);
      return memory;
    }

    void write(Fd to) {
      LIBC.write(to.number(), page, PAGE);
    }

    /** Whether somebody waits for it. */
    boolean wanted() throws Exception {
      return fault.tryRead(new byte[32]) == 32;
    }

    @Override
    public void close() {
      fault.close();
    }
  }
}
