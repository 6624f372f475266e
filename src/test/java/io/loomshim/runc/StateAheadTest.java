package io.loomshim.runc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateAheadTest {
  private static final int FIRST = 1001;
  private static final int SECOND = 1002;

  @TempDir Path directory;
  private StateAhead ahead;

  @BeforeEach
  void prepare() throws IOException {
    ahead = new StateAhead("a", directory);
    write(FIRST);
  }

  /** As runc does: another file takes the place of the first. */
  private void write(int pid) throws IOException {
    Path draft = directory.resolve("draft");
    Files.writeString(draft, StateFile.text("a", pid, "7", Map.of("pids", Path.of("/sys/fs/cgroup/pids/a"))));
    Files.move(draft, directory.resolve(RuncState.FILE), StandardCopyOption.REPLACE_EXISTING);
  }

  private int taken() throws IOException {
    return ahead.take().orElseThrow().pid();
  }

  @Test
  void whatWasNotReadAheadIsRead() throws Exception {
    assertFalse(ahead.ready());
    assertEquals(FIRST, taken());
  }

  @Test
  void whatWasReadAheadIsTakenOnce() throws Exception {
    ahead.begin();
    await().until(ahead::ready);
    assertEquals(FIRST, taken());
    assertFalse(ahead.ready());
    assertEquals(FIRST, taken());
  }

  @Test
  void aFileThatRuncHasReplacedIsReadAgain() throws Exception {
    ahead.begin();
    await().until(ahead::ready);
    write(SECOND);
    assertEquals(SECOND, taken());
  }

  @Test
  void aFileThatWasWrittenIntoIsReadAgain() throws Exception {
    ahead.begin();
    await().until(ahead::ready);
    Path file = directory.resolve(RuncState.FILE);
    Files.writeString(file, Files.readString(file).replace(Integer.toString(FIRST), Integer.toString(SECOND)));
    assertEquals(SECOND, taken());
  }

  @Test
  void aContainerThatHasGoneHasNoState() throws Exception {
    ahead.begin();
    await().until(ahead::ready);
    Files.delete(directory.resolve(RuncState.FILE));
    assertTrue(ahead.take().isEmpty());
  }

  @Test
  void aFileThatComesLaterIsFound() throws Exception {
    Files.delete(directory.resolve(RuncState.FILE));
    assertTrue(ahead.take().isEmpty());
    write(SECOND);
    ahead.begin();
    assertEquals(SECOND, taken());
  }
}
