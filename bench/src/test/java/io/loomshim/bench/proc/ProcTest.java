package io.loomshim.bench.proc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcTest {
  private static final long SELF = ProcessHandle.current().pid();

  @TempDir Path directory;

  @Test
  void aProcessThatHasEndedIsNotAliveThoughNobodyHasWaited() throws Exception {
    assertTrue(Proc.alive(SELF));
    Process process = new ProcessBuilder("true").start();
    process.waitFor();
    assertFalse(Proc.alive(process.pid()));
  }

  @Test
  void theParentOfAChildIsThisProcess() throws Exception {
    Process child = new ProcessBuilder("sleep", "100").start();
    try {
      assertEquals(SELF, Proc.parent(child.pid()));
    } finally {
      child.destroyForcibly().waitFor();
    }
  }

  @Test
  void theFirstNumberBehindAKeyIsRead() throws Exception {
    Path file = Files.writeString(directory.resolve("status"),
        "Pss_Anon: 7 kB\nPss:   123 kB\nMax open files  1024  4096\n");
    assertEquals(123, Proc.number(file, "Pss:"));
    assertEquals(1024, Proc.number(file, "Max open files"));
    assertThrows(IOException.class, () -> Proc.number(file, "Rss:"));
  }

  @Test
  void timeSinceIsTheDifference() {
    var used = new Proc.Cpu(3, 5).since(new Proc.Cpu(1, 2));
    assertEquals(new Proc.Cpu(2, 3), used);
    assertEquals(5, used.all());
  }

  @Test
  void threadsThatWorkAreCounted() throws Exception {
    Activity activity = Activity.begin(List.of(SELF));
    var threads = ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadCpuTime();
    while (threads.getCurrentThreadCpuTime() - before < 50_000_000) {
      Thread.onSpinWait();
    }
    Activity.Done done = activity.end();
    assertTrue(done.millis() > 40, done.toString());
    assertTrue(done.seconds() >= 0.05, done.toString());
  }
}
