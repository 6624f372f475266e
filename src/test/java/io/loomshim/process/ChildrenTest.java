package io.loomshim.process;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Fd;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

  private static boolean child(int pid) throws Exception {
    return Children.pids().contains(pid);
  }

  @Test
  void aSweepReapsAnUnclaimedZombie() throws Exception {
    int pid = orphan("exit 3");
    awaitZombie(pid);
    Children.sweep();
    assertFalse(child(pid));
  }

  @Test
  void aSweepReapsWhatLiesBehindAClaimedZombie() throws Exception {
    Child child = Child.claim(orphan("exit 3"));
    awaitZombie(child.pid());
    int behind = orphan("exit 4");
    awaitZombie(behind);
    Children.sweep();
    assertFalse(child(behind));
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
  void whatALaunchMayClaimIsLeftUntilItsEndAndReapedThen() throws Exception {
    int claimed;
    int left;
    try (var launch = Children.launching()) {
      claimed = orphan("exit 3");
      left = orphan("exit 4");
      awaitZombie(claimed);
      awaitZombie(left);
      Children.sweep();
      assertTrue(child(claimed) && child(left));
      assertEquals(3, Child.claim(claimed).await());
    }
    assertFalse(child(left));
  }

  @Test
  void aStartThatHangsHoldsUpItsOwnChildOnly() throws Exception {
    int left;
    try (var start = Children.starting()) {
      int orphan = orphan("exit 4");
      awaitZombie(orphan);
      Child own = Spawner.spawn(new Spawn(List.of("/bin/sh", "-c", "exit 3"), List.of(), Path.of("/"), List.of()));
      left = own.pid();
      Children.release(left);
      awaitZombie(left);
      Children.sweep();
      assertFalse(child(orphan));
      assertTrue(child(left));
    }
    assertFalse(child(left));
  }

  @Test
  void aLaunchThatBeganLaterIsNotWaitedFor() throws Exception {
    int pid;
    Children.Launch later;
    try (var launch = Children.launching()) {
      pid = orphan("exit 3");
      awaitZombie(pid);
      Children.sweep();
      later = Children.launching();
    }
    assertFalse(child(pid));
    later.close();
  }

  @Test
  void aZombieThatWasReapedBetweenTheLookAndItsNoteLeavesNone() throws Exception {
    int pid = orphan("exit 3");
    try (var launch = Children.launching()) {
      assertEquals(3, Child.claim(pid).await());
      assertFalse(Children.reap(pid)); // as by a sweep that had found it before
      assertFalse(Children.deferred(pid)); // what has this pid next is a process of its own
    }
  }

  @Test
  void whatAContainersProcessLeavesIsReapedHoweverManyLaunchesHang() throws Exception {
    Path script = Files.createTempFile("init", ".sh");
    Path pidFile = Path.of(script + ".pid");
    Files.writeString(script, "(sh -c 'echo $$ > " + pidFile + "' &); exec sleep 60");
    try (var launch = Children.launching();
        Child init = Child.claim(orphan("exec setsid sh " + script))) { // leads a group, as runtimes see to
      await().until(() -> Files.exists(pidFile) && Files.size(pidFile) > 0);
      int pid = Integer.parseInt(Files.readString(pidFile).strip());
      awaitZombie(pid);
      Children.sweep();
      assertFalse(child(pid));
    } finally {
      Files.delete(script);
      Files.deleteIfExists(pidFile);
    }
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
