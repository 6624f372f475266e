package io.loomshim.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.mount.MountTable;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HierarchiesTest {
  private static final MountTable.Entry UNIFIED =
      new MountTable.Entry("/", "/sys/fs/cgroup", "cgroup2", "rw,nsdelegate,memory_recursiveprot");
  private static final MountTable.Entry UNIFIED_BESIDE =
      new MountTable.Entry("/", "/sys/fs/cgroup/unified", "cgroup2", "rw");
  private static final MountTable.Entry CPU = v1("/", "cpu,cpuacct", "rw,cpu,cpuacct");
  private static final MountTable.Entry MEMORY = v1("/", "memory", "rw,memory");
  private static final MountTable.Entry SYSTEMD = v1("/", "systemd", "rw,xattr,name=systemd");
  private static final MountTable.Entry TMPFS = new MountTable.Entry("/", "/sys/fs/cgroup", "tmpfs", "rw,mode=755");

  private static MountTable.Entry v1(String root, String name, String options) {
    return new MountTable.Entry(root, "/sys/fs/cgroup/" + name, "cgroup", options);
  }

  private static Map<String, Path> locate(String text, MountTable.Entry... mounts) {
    return Hierarchies.locate(text, List.of(mounts));
  }

  @Test
  void onVersionTwoThereIsOneDirectory() {
    List<MountTable.Entry> mounts = Hierarchies.cgroupMounts(List.of(TMPFS, UNIFIED, MEMORY), true);
    assertEquals(List.of(UNIFIED), mounts);
    assertEquals(
        Map.of(Cgroup.UNIFIED, Path.of("/sys/fs/cgroup/ns/web-1")), Hierarchies.locate("0::/ns/web-1\n", mounts));
  }

  @Test
  void onVersionOneEachControllerHasItsDirectoryAndMountedTogetherTheSame() {
    String text = "5:memory:/m/web-1\n3:cpu,cpuacct:/c/web-1\n1:name=systemd:/s/web-1\n";
    assertEquals(
        Map.of(
            "memory", Path.of("/sys/fs/cgroup/memory/m/web-1"),
            "cpu", Path.of("/sys/fs/cgroup/cpu,cpuacct/c/web-1"),
            "cpuacct", Path.of("/sys/fs/cgroup/cpu,cpuacct/c/web-1"),
            "name=systemd", Path.of("/sys/fs/cgroup/systemd/s/web-1")),
        locate(text, CPU, MEMORY, SYSTEMD));
  }

  @Test
  void onAHybridMachineTheUnifiedTreeHoldsNoControllersAndIsLeftOut() {
    List<MountTable.Entry> mounts = Hierarchies.cgroupMounts(List.of(TMPFS, UNIFIED_BESIDE, MEMORY, SYSTEMD), false);
    assertEquals(List.of(MEMORY, SYSTEMD), mounts);
    assertEquals(
        Map.of("memory", Path.of("/sys/fs/cgroup/memory/a"), "name=systemd", Path.of("/sys/fs/cgroup/systemd/b")),
        Hierarchies.locate("5:memory:/a\n1:name=systemd:/b\n0::/c\n", mounts));
  }

  @Test
  void aMountThatShowsAPartOfTheHierarchyHasItsRootTakenOff() {
    MountTable.Entry part = v1("/docker/abc", "memory", "rw,memory");
    Path below = Path.of("/sys/fs/cgroup/memory/web-1");
    assertEquals(Map.of("memory", below), locate("5:memory:/docker/abc/web-1\n", part));
    assertEquals(Map.of("memory", Path.of("/sys/fs/cgroup/memory")), locate("5:memory:/docker/abc\n", part));
  }

  @Test
  void aMountThatDoesNotShowTheCgroupIsNoPlaceForIt() {
    MountTable.Entry part = v1("/docker/abc", "memory", "rw,memory");
    MountTable.Entry whole = new MountTable.Entry("/", "/mnt/memory", "cgroup", "rw,memory");
    assertTrue(locate("5:memory:/docker/abcdef/web-1\n", part).isEmpty());
    assertTrue(locate("5:memory:/other\n", part).isEmpty());
    assertEquals(Map.of("memory", Path.of("/mnt/memory/other")), locate("5:memory:/other\n", part, whole));
    assertTrue(locate("0::/other\n", new MountTable.Entry("/a", "/sys/fs/cgroup", "cgroup2", "rw")).isEmpty());
  }

  @Test
  void whatLiesOutsideOfOurNamespaceIsFoundOnlyWhereAMountShowsThatOutside() {
    MountTable.Entry outside = v1("/..", "memory", "rw,memory");
    assertTrue(locate("5:memory:/../neighbour\n", MEMORY).isEmpty());
    assertEquals(
        Map.of("memory", Path.of("/sys/fs/cgroup/memory/neighbour")), locate("5:memory:/../neighbour\n", outside));
    assertTrue(locate("5:memory:/inside\n", outside).isEmpty());
  }

  @Test
  void ofTwoMountsInOnePlaceOnlyTheLaterCanBeSeen() {
    MountTable.Entry part = v1("/docker/abc", "memory", "rw,memory");
    assertEquals(List.of(CPU, part), Hierarchies.cgroupMounts(List.of(TMPFS, MEMORY, CPU, part), false));
    MountTable.Entry above = new MountTable.Entry("/", MEMORY.point(), "tmpfs", "rw");
    assertEquals(List.of(CPU), Hierarchies.cgroupMounts(List.of(TMPFS, MEMORY, CPU, above), false));
  }

  @Test
  void aControllerThatIsNotMountedHasNoDirectory() {
    assertTrue(locate("7:pids:/a\n0::/b\n", MEMORY).isEmpty());
    assertTrue(locate("5:memory:/a\n").isEmpty());
  }

  @Test
  void aNameThatIsOnlyAPartOfAnotherIsNoMatch() {
    assertTrue(locate("5:cpu:/a\n", v1("/", "cpuset", "rw,cpuset")).isEmpty());
    assertTrue(locate("5:mem:/a\n", MEMORY).isEmpty());
  }

  @Test
  void whoeverIsEndingIsToldToBeInTheRootAndThatIsNoContainersOwn() {
    assertTrue(locate("5:memory:/\n3:cpu,cpuacct:/\n1:name=systemd:/\n0::/\n", CPU, MEMORY, SYSTEMD).isEmpty());
    assertEquals(
        Map.of("memory", Path.of("/sys/fs/cgroup/memory/a")), locate("5:memory:/a\n3:cpu:/\n", CPU, MEMORY));
  }

  @Test
  void theFirstOfTwoMountsOfAControllerCounts() {
    MountTable.Entry again = new MountTable.Entry("/", "/mnt/memory", "cgroup", "rw,memory");
    assertEquals(Map.of("memory", Path.of("/sys/fs/cgroup/memory/a")), locate("5:memory:/a\n", MEMORY, again));
  }

  @Test
  void aPathMayHoldColonsAndBrokenLinesAreSkipped() {
    assertEquals(
        Map.of("memory", Path.of("/sys/fs/cgroup/memory/system.slice:cri:web-1")),
        locate("\nnonsense\n5:memory:/system.slice:cri:web-1\n", MEMORY));
  }
}
