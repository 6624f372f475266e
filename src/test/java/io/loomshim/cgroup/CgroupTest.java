package io.loomshim.cgroup;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.mount.MountTable;
import io.loomshim.proto.cgroups2.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real cgroups with real processes, of whichever version this machine has. */
class CgroupTest {
  private static final Path MOUNT = Path.of("/sys/fs/cgroup");
  private static final String VERSION_2 = "needs a machine with cgroup v2: integration/cgroup2/run.sh has one";

  /** Of another run of the tests in a pid namespace of its own, the process may have the same number. */
  private static final String NAME = "loomtest-" + ProcessHandle.current().pid() + "-" + System.nanoTime();

  private final List<Path> made = new ArrayList<>();
  private final List<Process> started = new ArrayList<>();

  @AfterEach
  void takeAllAway() throws Exception {
    for (Process process : started) {
      process.destroyForcibly().waitFor();
    }
    for (Path directory : made.reversed()) {
      await().ignoreExceptions().until(() -> Files.deleteIfExists(directory) || !Files.exists(directory));
    }
  }

  private Path make(Path directory) throws IOException {
    Files.createDirectory(directory);
    made.add(directory);
    return directory;
  }

  private Path make() throws IOException {
    Path parent = Cgroup.unified() ? MOUNT : MOUNT.resolve("devices");
    assumeTrue(Files.isWritable(parent), "needs root and cgroups");
    return make(parent.resolve(NAME));
  }

  private int processIn(Path directory) throws IOException {
    Process process = process();
    Files.writeString(directory.resolve("cgroup.procs"), Long.toString(process.pid()));
    return (int) process.pid();
  }

  private Process process() throws IOException {
    Process process = new ProcessBuilder("cat").start();
    started.add(process);
    return process;
  }

  private static Set<Integer> pids(Cgroup cgroup) throws IOException {
    return new TreeSet<>(cgroup.pids());
  }

  @Test
  void aProcessLeadsToItsCgroupWhichListsItAndThoseInCgroupsBelow() throws Exception {
    Path directory = make();
    int first = processIn(directory);
    int second = processIn(directory);
    int inner = processIn(make(make(directory.resolve("inner")).resolve("most")));
    Cgroup cgroup = Cgroup.of(first).orElseThrow();
    assertTrue(cgroup.directories().containsValue(directory), cgroup::toString);
    assertEquals(Set.of(first, second, inner), pids(cgroup));
  }

  @Test
  void aProcessInOurOwnCgroupHasNoneOfItsOwn() throws Exception {
    assertTrue(Cgroup.of((int) process().pid()).isEmpty());
  }

  /** What only {@code tree} mounts, of the type of the cgroups that this machine has. */
  private static List<MountTable.Entry> mountsBelow(Path tree) throws IOException {
    return Hierarchies.cgroupMounts(MountTable.under(tree), Cgroup.unified());
  }

  @Test
  void cgroupsThatComeAndGoWhileProcessesAreListedAreNoError() throws Exception {
    Path directory = make();
    int first = processIn(directory);
    Cgroup cgroup = Cgroup.of(first).orElseThrow();
    new Restless(make(directory.resolve("inner"))).during(() -> assertEquals(List.of(first), cgroup.pids()));
  }

  @Test
  void whereAMountShowsAPartOfAHierarchyOnlyWhatIsThereIsFoundAndNothingElseIsTakenForIt(@TempDir Path temp)
      throws Exception {
    Path directory = make();
    Path seen = make(directory.resolve("seen"));
    int inside = processIn(make(seen.resolve("web-1")));
    int outside = processIn(make(directory.resolve("web-1")));
    Path part = Files.createDirectory(temp.resolve("part"));
    assertEquals(0, new ProcessBuilder("mount", "--bind", seen.toString(), part.toString()).start().waitFor());
    try {
      List<MountTable.Entry> mounts = mountsBelow(temp);
      assertEquals(List.of("/" + directory.getFileName() + "/seen"), mounts.stream().map(m -> m.root()).toList());
      Cgroup cgroup = Cgroup.of(inside, mounts).orElseThrow();
      assertEquals(Set.of(part.resolve("web-1")), Set.copyOf(cgroup.directories().values()));
      assertEquals(List.of(inside), cgroup.pids());
      assertTrue(Cgroup.of(outside, mounts).isEmpty());
      var all = new ArrayList<>(mounts);
      all.addAll(Hierarchies.cgroupMounts(MountTable.read(), Cgroup.unified()));
      assertEquals(List.of(outside), Cgroup.of(outside, all).orElseThrow().pids());
    } finally {
      assertEquals(0, new ProcessBuilder("umount", part.toString()).start().waitFor());
    }
  }

  @Test
  void aCgroupBehindWhatHasBeenMountedOverItIsNotTakenForAnEmptyOne(@TempDir Path temp) throws Exception {
    Path parent = make().getParent();
    int pid = processIn(make(made.getFirst().resolve("web-1")));
    Path whole = Files.createDirectories(temp.resolve("tree/whole"));
    assertEquals(0, new ProcessBuilder("mount", "--bind", parent.toString(), whole.toString()).start().waitFor());
    try {
      assertEquals(List.of(pid), Cgroup.of(pid, mountsBelow(temp)).orElseThrow().pids());
      String tree = whole.getParent().toString();
      assertEquals(0, new ProcessBuilder("mount", "-t", "tmpfs", "tmpfs", tree).start().waitFor());
      try {
        assertTrue(Cgroup.of(pid, mountsBelow(temp)).isEmpty());
      } finally {
        assertEquals(0, new ProcessBuilder("umount", tree).start().waitFor());
      }
    } finally {
      assertEquals(0, new ProcessBuilder("umount", whole.toString()).start().waitFor());
    }
  }

  @Test
  void onVersionOneWhoeverIsDeadButNotReapedHasNone() throws Exception {
    assumeFalse(Cgroup.unified(), "needs a machine with cgroup v1");
    Path directory = make();
    // a parent that reaps nobody: cat, which answers when the shell, which would, is no more
    Process parent = new ProcessBuilder("sh", "-c", "sleep 1000 & echo $!; exec cat").start();
    started.add(parent);
    int dead = Integer.parseInt(parent.inputReader().readLine());
    try (var input = parent.outputWriter()) {
      input.write("there\n");
      input.flush();
      assertEquals("there", parent.inputReader().readLine());
      hasNoneOnceItIsDead(directory, dead);
    }
  }

  /** Puts {@code dead} into the cgroup and kills it. */
  private static void hasNoneOnceItIsDead(Path directory, int dead) throws Exception {
    Files.writeString(directory.resolve("cgroup.procs"), Integer.toString(dead));
    assertTrue(Cgroup.of(dead).isPresent());
    ProcessHandle.of(dead).orElseThrow().destroyForcibly();
    await().until(() -> Files.readString(Path.of("/proc/" + dead + "/stat")).contains(") Z "));
    var lines = Files.readAllLines(Path.of("/proc/" + dead + "/cgroup"));
    // on a machine with both, the hierarchy of v2 goes on telling where the process was
    assertTrue(lines.stream().allMatch(line -> line.endsWith(":/") || line.startsWith("0::")), lines::toString);
    assertEquals(Optional.empty(), Cgroup.of(dead));
  }

  @Test
  void whoIsNotThereHasNoCgroup() throws Exception {
    Process gone = process();
    gone.destroyForcibly().waitFor();
    assertThrows(NoSuchFileException.class, () -> Cgroup.of((int) gone.pid()));
  }

  @Test
  void aCgroupThatIsGoneListsNobody() throws Exception {
    Path directory = make();
    Cgroup cgroup = Cgroup.of(processIn(directory)).orElseThrow();
    takeAllAway();
    assertEquals(List.of(), cgroup.pids());
  }

  @Test
  void processesWithThreadsInCgroupsOfTheirOwnAreListedOnce() throws Exception {
    assumeTrue(Cgroup.unified(), VERSION_2);
    Path directory = make();
    int process = processIn(directory);
    Path threads = make(directory.resolve("threads"));
    Files.writeString(threads.resolve("cgroup.type"), "threaded");
    Files.writeString(threads.resolve("cgroup.threads"), Integer.toString(process));
    assertEquals("domain threaded\n", Files.readString(directory.resolve("cgroup.type")));
    assertThrows(IOException.class, () -> Files.readString(threads.resolve("cgroup.procs")));
    var cgroup = new Cgroup(Map.of(Cgroup.UNIFIED, directory));
    assertEquals(List.of(process), cgroup.pids());
  }

  @Test
  void onVersionTwoItsStatisticsShowTheLimitsThatItHas() throws Exception {
    assumeTrue(Cgroup.unified(), VERSION_2);
    Path directory = make();
    Files.writeString(directory.resolve("pids.max"), "77");
    Files.writeString(directory.resolve("memory.max"), "67108864");
    Cgroup cgroup = Cgroup.of(processIn(directory)).orElseThrow();
    var any = cgroup.stats();
    assertEquals("io.containerd.cgroups.v2.Metrics", any.getTypeUrl());
    var metrics = Metrics.parseFrom(any.getValue());
    assertEquals(77, metrics.getPids().getLimit());
    assertEquals(1, metrics.getPids().getCurrent());
    assertEquals(67108864, metrics.getMemory().getUsageLimit());
    assertTrue(metrics.hasMemoryEvents());
    takeAllAway();
    assertThrows(NoSuchFileException.class, cgroup::stats);
  }
}
