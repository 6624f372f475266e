package io.loomshim.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** At each step another one goes on with the same descriptors, as after a kill. */
class StagedBytesTest {
  @TempDir
  Path directory;

  private Pipe pipe;
  private Fd target;
  private StagedBytes bytes;

  @BeforeEach
  void open() throws Exception {
    pipe = Pipe.open();
    pipe.reader().nonBlocking(true);
    Files.writeString(file(), "before ");
    target = Fd.open(file().toString(), Fd.O_WRONLY | Fd.O_APPEND, 0);
    bytes = StagedBytes.make();
  }

  @AfterEach
  void close() {
    bytes.memory().close();
    target.close();
    pipe.close();
  }

  private Path file() {
    return directory.resolve("file");
  }

  private String written() throws Exception {
    return Files.readString(file());
  }

  private void say(String text) throws Exception {
    byte[] data = text.getBytes(StandardCharsets.UTF_8);
    pipe.writer().tryWrite(data, 0, data.length);
  }

  /** Another process has the same open files. */
  private void another() throws Exception {
    bytes = StagedBytes.resume(bytes.memory(), target);
  }

  @Test
  void whatIsStagedIsWrittenByTheNextOne() throws Exception {
    say("one");
    assertEquals(3, bytes.fill(pipe.reader()));
    another();
    assertEquals(3, bytes.drain(target));
    assertEquals("before one", written());
  }

  @Test
  void whatIsWrittenIsNotWrittenAgain() throws Exception {
    say("one");
    bytes.fill(pipe.reader());
    byte[] whole = "one".getBytes(StandardCharsets.UTF_8);
    Fd memory = bytes.memory().duplicate(); // the next step of drain would make it empty
    bytes.drain(target);
    memory.tryWrite(whole, 0, 3); // as it was before that step
    Posix.seek(memory.number(), 1 + "before ".length());
    another();
    assertEquals(true, bytes.empty());
    assertEquals("before one", written());
    memory.close();
  }

  @Test
  void ofAWriteThatWasCutShortTheRestIsWritten() throws Exception {
    say("one two");
    bytes.fill(pipe.reader());
    Posix.seek(bytes.memory().number(), 1 + "before ".length());
    byte[] part = "one".getBytes(StandardCharsets.UTF_8);
    target.tryWrite(part, 0, part.length);
    another();
    bytes.drain(target);
    assertEquals("before one two", written());
    assertEquals(-1, bytes.fill(pipe.reader()));
  }

  @Test
  void aTargetThatBecomesShorterLosesNothing() throws Exception {
    for (String word : new String[] {"a", "b", "c"}) {
      say(word);
      bytes.fill(pipe.reader());
      another();
      bytes.drain(target);
      Files.writeString(file(), "", StandardOpenOption.TRUNCATE_EXISTING);
      another();
    }
    say("d");
    bytes.fill(pipe.reader());
    bytes.drain(target);
    assertEquals("d", written());
    pipe.writer().close();
    assertEquals(0, bytes.fill(pipe.reader()));
  }
}
