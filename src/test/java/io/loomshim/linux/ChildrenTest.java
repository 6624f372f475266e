package io.loomshim.linux;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ChildrenTest {
  @BeforeAll
  static void subreaper() throws Exception {
    Self.becomeSubreaper();
  }

  /** Starts a process whose parent is gone, and returns its pid, which nobody claims. */
  private static int orphan(String script) throws Exception {
    Path pidFile = Files.createTempFile("orphan", ".pid");
    try (Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0)) {
      // it ends only after its parent is gone, as a shell reaps its own background jobs
      String body = "echo $$ > " + pidFile + "; while kill -0 $P 2>/dev/null; do :; done; " + script;
      String parent = "P=$$; export P; sh -c '" + body + "' & while [ ! -s " + pidFile + " ]; do :; done";
      var fds = List.of(nothing, nothing, nothing);
      var spawn = new Spawn(List.of("/bin/sh", "-c", parent), List.of("PATH=/bin:/usr/bin"), Path.of("/"), fds);
      Spawner.spawn(spawn).await();
      return Integer.parseInt(Files.readString(pidFile).strip());
    } finally {
      Files.delete(pidFile);
    }
  }

  private static void awaitZombie(int pid) {
    await().until(() -> Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") Z "));
  }

  @Test
  void aSweepReapsAnUnclaimedZombie() throws Exception {
    int pid = orphan("exit 3");
    awaitZombie(pid);
    assertTrue(Children.sweep().orElse(0) >= 1);
    assertFalse(Children.pids().contains(pid));
  }

  @Test
  void aLookFindsAZombieThatNobodyClaimsAndHasItReapedSoon() throws Exception {
    int pid = orphan("exit 3");
    awaitZombie(pid);
    Orphans.look();
    await().until(() -> !Children.pids().contains(pid));
  }

  @Test
  void aClaimedZombieIsNoStray() throws Exception {
    Child child = Child.claim(orphan("exit 3"));
    awaitZombie(child.pid());
    assertFalse(Children.strayZombie());
    assertEquals(3, child.await());
  }

  @Test
  void aClaimedOrphanKeepsItsStatusThroughASweep() throws Exception {
    int pid = orphan("exit 3");
    Child child = Child.claim(pid);
    awaitZombie(pid);
    Children.sweep();
    assertEquals(3, child.await());
  }

  @Test
  void aSweepDoesNothingWhileALaunchIsUnderWay() throws Exception {
    int pid;
    try (var launch = Children.launching()) {
      pid = orphan("exit 3");
      awaitZombie(pid);
      assertEquals(OptionalInt.empty(), onAnotherThread(Children::sweep));
      assertTrue(Children.pids().contains(pid));
    }
    assertEquals(3, Child.claim(pid).await());
  }

  private static <T> T onAnotherThread(Callable<T> work) throws Exception {
    var task = new FutureTask<>(work);
    Thread.ofPlatform().start(task);
    return task.get();
  }

  @Test
  void theLastSweepIsMadeUpForWhenALaunchWasInItsWay() throws Exception {
    int pid;
    try (var launch = Children.launching()) {
      pid = orphan("exit 3");
      awaitZombie(pid);
      onAnotherThread(
          () -> {
            Orphans.sweep(true);
            return true;
          });
      assertTrue(Children.pids().contains(pid));
    }
    await().atMost(Orphans.SWEEP_INTERVAL.multipliedBy(3)).until(() -> !Children.pids().contains(pid));
  }

  @Test
  void aRunningOrphanIsLeftAlone() throws Exception {
    int pid = orphan("exec sleep 60");
    Children.sweep();
    try (Child child = Child.claim(pid)) {
      child.kill(0);
    }
  }
}
