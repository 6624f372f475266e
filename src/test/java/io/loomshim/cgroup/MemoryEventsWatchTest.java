package io.loomshim.cgroup;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.log.Log;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The kernel's {@code memory.events} of cgroup v2, played by a plain file. */
@Timeout(30)
final class MemoryEventsWatchTest {
  @TempDir Path directory;

  private void events(int oom, int kills, int groupKills) throws IOException {
    Files.writeString(directory.resolve("memory.events"), "low 0\nhigh 0\nmax 7\noom " + oom + "\noom_kill " + kills
        + "\noom_group_kill " + groupKills + "\n");
  }

  private Cgroup cgroup() {
    return new Cgroup(Map.of(Cgroup.UNIFIED, directory));
  }

  private static OomWatch.Kills counting(AtomicInteger counter) {
    return (times, counted) -> counter.addAndGet((int) times);
  }

  @Test
  void everyKillIsToldAndNothingElse() throws Exception {
    events(0, 0, 0);
    var told = new AtomicInteger();
    try (var watch = OomWatch.start("web-1", cgroup(), counting(told), Map.of())) {
      events(3, 0, 0); // out of memory, but nobody was killed
      watch.check();
      assertEquals(0, told.get());
      events(3, 1, 0);
      await().until(() -> told.get() == 1);
      watch.check();
      assertEquals(1, told.get());
      events(5, 3, 0);
      await().until(() -> told.get() == 3);
    }
  }

  @Test
  void killsBeforeTheWatchBeganAreToldAtOnce() throws Exception {
    events(1, 1, 0);
    var told = new AtomicInteger();
    try (var watch = OomWatch.start("web-1", cgroup(), counting(told), Map.of())) {
      assertEquals("web-1", watch.id());
      assertEquals(1, told.get());
    }
  }

  @Test
  void theEndOfTheCgroupIsNoErrorAndNoKill() throws Exception {
    events(0, 0, 0);
    var lines = new CopyOnWriteArrayList<String>();
    var told = new AtomicInteger();
    Log.to((id, line) -> lines.add(new String(line, StandardCharsets.UTF_8)));
    try (var watch = OomWatch.start("web-1", cgroup(), counting(told), Map.of())) {
      assertEquals("web-1", watch.id());
      Files.delete(directory.resolve("memory.events"));
      watch.check();
      events(0, 0, 0);
      watch.check();
    } finally {
      Log.to((id, line) -> System.err.write(line, 0, line.length));
    }
    assertEquals(0, told.get());
    assertEquals(List.of(), lines);
  }
}
