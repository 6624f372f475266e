package io.loomshim.cgroup;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Deadline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** On the version of cgroups that this machine has, with real processes. */
@Timeout(60)
class SubCgroupTest {
  private static final Duration ENOUGH = Duration.ofSeconds(20);

  private Path above;
  private SubCgroup tree;
  private Path directory;

  @BeforeEach
  void make() throws IOException {
    Path root = Path.of(Cgroup.unified() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/freezer");
    above = Files.createDirectory(root.resolve("loomtest-sub-" + ProcessHandle.current().pid()));
    tree = SubCgroup.make(parent(), "probe").orElseThrow();
    directory = above.resolve("probe");
  }

  private Cgroup parent() {
    return new Cgroup(Map.of(Cgroup.unified() ? Cgroup.UNIFIED : "freezer", above));
  }

  @AfterEach
  void remove() throws Exception {
    if (Files.exists(above)) {
      SubCgroup.make(parent(), "probe").orElseThrow().kill(Deadline.in(ENOUGH));
      Files.deleteIfExists(directory);
      await().ignoreExceptions().until(() -> Files.deleteIfExists(above));
    }
  }

  /** Runs {@code script} in a shell that is in the cgroup before it runs anything. */
  private Process start(String script) throws IOException {
    return new ProcessBuilder("sh", "-c", "echo $$ > " + directory + "/cgroup.procs; " + script).inheritIO().start();
  }

  private long members() throws IOException {
    return Files.readAllLines(directory.resolve("cgroup.procs")).size();
  }

  @Test
  void theRuntimeIsToldTheNameAndOnV1TheHierarchy() {
    assertEquals(Cgroup.unified() ? "probe" : "freezer:probe", tree.argument());
    assertEquals(!Cgroup.unified(), tree.namesHierarchy());
  }

  @Test
  void anEmptyOneIsGoneAtOnceAndMayBeMissing() throws Exception {
    assertTrue(tree.kill(Deadline.in(Duration.ZERO)));
    assertTrue(tree.remove());
    assertFalse(Files.exists(directory));
    assertTrue(tree.kill(Deadline.in(Duration.ZERO)));
    assertTrue(tree.remove());
  }

  @Test
  void allThatAProcessHasStartedIsKilledWhereverItHasGone() throws Exception {
    Process shell = start("(setsid sleep 1000 &); (trap '' TERM HUP INT; sleep 1000) & exec sleep 1000");
    await().until(() -> members() >= 3);
    assertTrue(tree.kill(Deadline.in(ENOUGH)));
    assertEquals(0, members());
    assertEquals(137, shell.waitFor());
    assertTrue(tree.remove());
  }

  @Test
  void oneThatStartsProcessesAllTheTimeIsKilledAsAWhole() throws Exception {
    Process shell = start("while :; do (setsid sleep 1000 &); done");
    await().until(() -> members() > 50);
    assertTrue(tree.kill(Deadline.in(ENOUGH)));
    assertEquals(0, members());
    assertEquals(137, shell.waitFor());
    assertTrue(tree.remove());
  }

  @Test
  void whatHasMadeACgroupOfItsOwnBelowIsKilledToo() throws Exception {
    Path below = directory.resolve("own");
    Process shell = start("mkdir " + below + "; echo $$ > " + below + "/cgroup.procs; exec sleep 1000");
    await().until(() -> Files.exists(below) && Files.readString(below.resolve("cgroup.procs")).length() > 1);
    assertTrue(tree.kill(Deadline.in(ENOUGH)));
    assertEquals(137, shell.waitFor());
    assertTrue(tree.remove());
    assertFalse(Files.exists(directory));
  }

  /** The container is paused: on v1 its processes die when it is resumed. */
  @Test
  void processesThatStandStillOutsideOurReachAreToldAndNotWaitedForTooLong() throws Exception {
    Process shell = start("exec sleep 1000");
    await().until(() -> members() == 1);
    String state = Cgroup.unified() ? "cgroup.freeze" : "freezer.state";
    Files.writeString(above.resolve(state), Cgroup.unified() ? "1" : "FROZEN", StandardOpenOption.WRITE);
    assertEquals(Cgroup.unified(), tree.kill(Deadline.in(Duration.ofMillis(200))));
    assertEquals(Cgroup.unified(), tree.remove());
    Files.writeString(above.resolve(state), Cgroup.unified() ? "0" : "THAWED", StandardOpenOption.WRITE);
    assertEquals(137, shell.waitFor());
    assertTrue(tree.remove());
  }

  @Test
  void withoutAFreezerThereIsNone() throws IOException {
    assertEquals(Optional.empty(), SubCgroup.make(new Cgroup(Map.of("memory", above)), "probe"));
  }
}
