package io.loomshim.cgroup;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.linux.Poller;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real kills on the version of cgroups that this machine has; and the files of cgroup v2 in a plain directory. */
class OomWatchTest {
  private static final String LIMIT_BYTES = "16777216";
  private static final int KILLS = 20;

  @TempDir Path temp;

  private final List<Path> made = new ArrayList<>();
  private final AtomicInteger told = new AtomicInteger();

  @AfterEach
  void removeCgroups() {
    await("nobody waits any more").until(() -> Poller.shared().waiting() == 0);
    for (Path directory : made.reversed()) {
      await().ignoreExceptions().until(() -> Files.deleteIfExists(directory) || !Files.exists(directory));
    }
  }

  private Path cgroup(Path parent, String name) throws IOException {
    Path directory = Files.createDirectory(parent.resolve(name));
    made.add(directory);
    return directory;
  }

  private Path limited() throws IOException {
    String name = "loomtest-oom-" + ProcessHandle.current().pid();
    Path directory = cgroup(Path.of(Cgroup.unified() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"), name);
    if (Cgroup.unified()) {
      Files.writeString(directory.resolve("memory.max"), LIMIT_BYTES);
      Files.writeString(directory.resolve("memory.swap.max"), "0");
    } else {
      Files.writeString(directory.resolve("memory.limit_in_bytes"), LIMIT_BYTES);
      Files.writeString(directory.resolve("memory.memsw.limit_in_bytes"), LIMIT_BYTES);
    }
    return directory;
  }

  /** Has the kernel kill a process for want of memory. */
  private static void kill(Path directory) throws Exception {
    String greedy = "echo $$ >" + directory + "/cgroup.procs; exec tail /dev/zero";
    assertEquals(137, new ProcessBuilder("sh", "-c", greedy).start().waitFor());
  }

  private static Cgroup container(Path directory) {
    return new Cgroup(Map.of(Cgroup.unified() ? Cgroup.UNIFIED : "memory", directory));
  }

  private OomWatch watch(Path directory) throws IOException {
    return OomWatch.start("oomtest", container(directory), counting(told), Map.of());
  }

  private static OomWatch.Kills counting(AtomicInteger counter) {
    return (times, counted) -> counter.addAndGet((int) times);
  }

  @Test
  void theKernelsWakeUpAloneTellsOfEveryKillAlthoughItComesBeforeTheKillIsCounted() throws Exception {
    Path directory = limited();
    try (OomWatch watch = watch(directory)) {
      for (int i = 1; i <= KILLS; i++) {
        kill(directory);
        int kills = i;
        await("kill " + i).until(() -> told.get() == kills);
        watch.check();
        assertEquals(i, told.get());
      }
    }
  }

  @Test
  void eachOfSeveralKillsBetweenTwoLooksIsTold() throws Exception {
    Path directory = limited();
    Path inner = cgroup(directory, "inner");
    kill(directory);
    kill(inner);
    kill(directory);
    try (OomWatch watch = watch(directory)) {
      assertEquals(3, told.get());
      watch.check();
      assertEquals(3, told.get());
    }
  }

  @Test
  void theEndOfAContainerThatIsKilledAsAWholeIsToldOnceHoweverManyProcessesItHad() throws Exception {
    assumeTrue(Cgroup.unified(), "needs a machine with cgroup v2: integration/cgroup2/run.sh has one");
    Path directory = limited();
    Files.writeString(directory.resolve("memory.oom.group"), "1");
    var others = new ArrayList<Process>();
    for (int i = 0; i < 3; i++) {
      others.add(new ProcessBuilder("sh", "-c", "echo $$ >" + directory + "/cgroup.procs; exec cat").start());
    }
    await().until(() -> Files.readAllLines(directory.resolve("cgroup.procs")).size() == others.size());
    kill(directory);
    for (Process other : others) {
      assertEquals(137, other.waitFor());
    }
    long counted = StatFiles.table(Files.readString(directory.resolve("memory.events"))).get("oom_kill");
    assertTrue(counted >= 4, "the kernel counts " + counted);
    try (OomWatch watch = watch(directory)) {
      assertEquals(1, told.get());
      watch.check();
      assertEquals(1, told.get());
    }
  }

  @Test
  void aKillInACgroupThatTheContainerMadeForItselfIsOneOfTheContainer() throws Exception {
    Path directory = limited();
    Path inner = cgroup(directory, "inner");
    try (OomWatch watch = watch(directory)) {
      kill(inner);
      watch.check();
      assertEquals(1, told.get());
      kill(directory);
      watch.check();
      assertEquals(2, told.get());
      Files.delete(inner);
      watch.check();
      assertEquals(2, told.get());
      kill(directory);
      watch.check();
      assertEquals(3, told.get());
    }
  }

  @Test
  void cgroupsThatComeAndGoWhileTheyAreLookedAtAreNoError() throws Exception {
    Path directory = limited();
    Path inner = cgroup(directory, "inner");
    var restless = new Restless(inner);
    try (OomWatch watch = watch(directory)) {
      restless.during(watch::check);
    }
    assertEquals(0, told.get());
  }

  @Test
  void aKillAtTheLimitOfThePodIsToldByTheContainerOfTheVictimAndByNoOther() throws Exception {
    Path pod = limited();
    if (Cgroup.unified()) {
      Files.writeString(pod.resolve("cgroup.subtree_control"), "+memory");
    }
    Path own = cgroup(pod, "own");
    Path other = cgroup(pod, "other");
    var others = new AtomicInteger();
    try (OomWatch watch = watch(own);
        OomWatch neighbour = OomWatch.start("neighbour", container(other), counting(others), Map.of())) {
      kill(own);
      await().until(() -> told.get() == 1);
      watch.check();
      neighbour.check();
      assertEquals(1, told.get());
      assertEquals(0, others.get());
    }
  }

  @Test
  void theKernelsWatchEndsWithOurs() throws Exception {
    Path directory = Files.createDirectory(temp.resolve("ended"));
    Path stays = Files.createDirectory(temp.resolve("stays"));
    events(directory, 0);
    events(stays, 0);
    try (OomWatch watch = OomWatch.start("stays", unified(stays), counting(told), Map.of())) {
      OomWatch ended = OomWatch.start("ended", unified(directory), counting(told), Map.of());
      assertEquals(1, kernelWatches(directory));
      ended.close();
      ended.close();
      assertEquals(0, kernelWatches(directory));
      assertEquals(1, kernelWatches(stays));
      watch.check();
    }
  }

  /** How many inotify watches of ours are on the file in {@code directory}: lines with its inode in hexadecimal. */
  private static long kernelWatches(Path directory) throws IOException {
    long inode = (Long) Files.getAttribute(directory.resolve("memory.events"), "unix:ino");
    long found = 0;
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(Path.of("/proc/self/fdinfo"))) {
      for (Path descriptor : descriptors) {
        try {
          for (String line : Files.readAllLines(descriptor)) {
            found += line.startsWith("inotify ") && line.contains(" ino:" + Long.toHexString(inode) + " ") ? 1 : 0;
          }
        } catch (IOException e) {
          // closed meanwhile
        }
      }
    }
    return found;
  }

  @Test
  void withoutAMemoryControllerThereIsNothingToWatch() {
    assertThrows(IOException.class, () -> OomWatch.start("none", new Cgroup(Map.of()), counting(told), Map.of()));
  }

  private static void events(Path directory, int kills) throws IOException {
    // in place: the kernel's file is never empty for a moment
    Path file = directory.resolve("memory.events");
    String text = "low 0\nhigh 0\nmax 9\noom 7\noom_kill " + kills + "\n";
    Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  private static Cgroup unified(Path directory) {
    return new Cgroup(Map.of(Cgroup.UNIFIED, directory));
  }

  @Test
  void onVersionTwoOneWatchServesManyAndOnlyKillsCount() throws Exception {
    Path first = Files.createDirectory(temp.resolve("first"));
    Path second = Files.createDirectory(temp.resolve("second"));
    events(first, 0);
    events(second, 1);
    var others = new AtomicInteger();
    OomWatch one = OomWatch.start("first", unified(first), counting(told), Map.of());
    OomWatch other = OomWatch.start("second", unified(second), counting(others), Map.of());
    assertEquals(1, others.get(), "a kill before the watch began is told");
    events(first, 1);
    await().until(() -> told.get() == 1);
    one.check();
    assertEquals(1, told.get());
    events(first, 1); // another figure has changed
    events(second, 2);
    await().until(() -> others.get() == 2);
    assertEquals(1, told.get());
    one.close();
    one.close();
    events(first, 2);
    events(second, 3);
    await().until(() -> others.get() == 3); // in the order of the writes, so the first was seen too
    assertEquals(1, told.get());
    other.close();
  }
}
