package io.loomshim.cgroup;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.mount.MountTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class GracePeriodTest {
  /** Where each thread of this process is. */
  private static TreeMap<String, String> cgroups() throws Exception {
    var cgroups = new TreeMap<String, String>();
    try (Stream<Path> threads = Files.list(Path.of("/proc/self/task"))) {
      for (Path thread : threads.toList()) {
        try {
          cgroups.put(Files.readString(thread.resolve("cgroup")), "");
        } catch (java.io.IOException e) {
          // the thread has ended
        }
      }
    }
    return cgroups;
  }

  @Test
  void onePassesEachTimeAndNothingIsMoved() throws Exception {
    var files = OwnThreads.files(Files.readString(Path.of("/proc/self/cgroup")), MountTable.read());
    assumeTrue(files.stream().anyMatch(Files::isWritable), "no cgroup file may be written here");
    var before = cgroups();
    GracePeriod.begin();
    assertEquals(0, GracePeriod.passed(), "without the setting nothing is begun");
    GracePeriod.prepare();
    for (int i = 1; i <= 3; i++) {
      long count = i;
      GracePeriod.begin();
      await().until(() -> GracePeriod.passed() == count);
      await().until(GracePeriod::idle);
    }
    assertEquals(before, cgroups());
  }
}
