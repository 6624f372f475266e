package io.loomshim.process;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** This JVM was not started by the launcher, so the signal comes through the JVM's handler here. */
class OrphansTest {
  /** No process has this pid or a higher one (proc_sys_kernel(5), pid_max). */
  private static final int PIDS_MAX = 1 << 22;

  private static Thread reaping;

  @BeforeAll
  static void begin() throws Exception {
    Self.becomeSubreaper();
    reaping = Orphans.reap();
  }

  /** It would reap what later tests have started by other means. */
  @AfterAll
  static void end() throws Exception {
    reaping.interrupt();
    reaping.join();
  }

  private static Child start(String script) throws Exception {
    try (Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0)) {
      return Spawner.spawn(new Spawn(List.of("/bin/sh", "-c", script), List.of("PATH=/bin:/usr/bin"), Path.of("/"),
          List.of(nothing, nothing, nothing)));
    }
  }

  private static boolean zombie(int pid) throws Exception {
    return Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") Z ");
  }

  @Test
  void orphansAreReapedWhenTheyEnd() throws Exception {
    String orphan = "(sh -c 'exit 3' &); ";
    assertEquals(0, start(orphan.repeat(50)).await());
    await().until(() -> Children.pids().isEmpty());
  }

  /** So many that a look is put off, for those that have an owner; here one does not come for its zombie. */
  @Test
  void orphansAreReapedBesideManyChildrenAndBehindAZombieThatWaitsForItsOwner() throws Exception {
    for (int i = 0; i < 2000; i++) {
      Children.claim(PIDS_MAX + i, true);
    }
    try {
      Child front = start("exit 3");
      await().until(() -> zombie(front.pid()));
      assertEquals(0, start("(sh -c 'exit 4' &); ".repeat(50)).await());
      await().until(() -> Children.pids().equals(Set.of(front.pid())));
      assertEquals(3, front.await());
    } finally {
      for (int i = 0; i < 2000; i++) {
        Children.release(PIDS_MAX + i);
      }
    }
  }

  @Test
  void aSignalToWhatHasEndedAndIsNotReapedYetFindsNobody() throws Exception {
    Child child = start("exit 3");
    await().until(() -> zombie(child.pid()));
    var e = assertThrows(ErrnoException.class, () -> child.kill(Child.SIGKILL));
    assertEquals(Errno.ESRCH, e.errno());
    assertEquals(3, child.await());
  }

  /** A process that traces {@code pid} and never waits for it; PTRACE_SEIZE, ptrace(2). */
  private static Child tracerOf(int pid) throws Exception {
    int ptrace = System.getProperty("os.arch").equals("amd64") ? 101 : 117;
    Path ready = Files.createTempFile("tracer", ".ready");
    Files.delete(ready);
    Child tracer = start("exec perl -e 'syscall(" + ptrace + ", 0x4206, " + pid + ", 0, 0) == 0 or die; mkdir \""
        + ready + "\"; sleep 60'");
    await().until(() -> Files.exists(ready));
    Files.delete(ready);
    return tracer;
  }

  @Test
  void aDeadProcessThatIsTracedCostsNothingAndIsReapedWhenItsTracerLetsIt() throws Exception {
    Child child = start("exec sleep 60");
    try (Child tracer = tracerOf(child.pid())) {
      child.kill(Child.SIGKILL);
      await().until(() -> zombie(child.pid()));
      var status = new FutureTask<>(child::await);
      Thread waiting = Thread.ofPlatform().start(status);
      assertThrows(TimeoutException.class, () -> status.get(500, TimeUnit.MILLISECONDS));
      long spent = ManagementFactory.getThreadMXBean().getThreadCpuTime(waiting.threadId());
      assertTrue(spent < TimeUnit.MILLISECONDS.toNanos(50), "busy for " + spent + " ns");
      tracer.close();
      assertEquals(128 + 9, status.get(10, TimeUnit.SECONDS));
    }
  }
}
