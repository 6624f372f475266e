package io.loomshim.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.mount.MountTable;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class OwnThreadsTest {
  private static final MountTable.Entry UNIFIED = new MountTable.Entry("/", "/sys/fs/cgroup", "cgroup2", "rw");

  private static MountTable.Entry v1(String root, String controllers) {
    return new MountTable.Entry(root, "/cg/" + controllers, "cgroup", "rw," + controllers);
  }

  private static List<Path> paths(String... paths) {
    return List.of(paths).stream().map(Path::of).toList();
  }

  @Test
  void onV2ThereIsOneList() {
    assertEquals(paths("/sys/fs/cgroup/system.slice/containerd.service/cgroup.threads"),
        OwnThreads.files("0::/system.slice/containerd.service\n", List.of(UNIFIED)));
    assertEquals(paths("/sys/fs/cgroup/cgroup.threads"), OwnThreads.files("0::/\n", List.of(UNIFIED)));
  }

  @Test
  void theOneOfV2ComesFirstAsTheKernelMovesNoThreadOutOfItsProcessThere() {
    var hybrid = new MountTable.Entry("/", "/cg/unified", "cgroup2", "rw");
    assertEquals(paths("/cg/unified/a/cgroup.threads", "/cg/cpu,cpuacct/b/tasks", "/cg/name=systemd/tasks"),
        OwnThreads.files("5:cpu,cpuacct:/b\n1:name=systemd:/\n0::/a\n",
            List.of(v1("/", "cpu,cpuacct"), v1("/", "name=systemd"), hybrid)));
  }

  @Test
  void aMountOfAPartShowsWhatIsBelow() {
    assertEquals(paths("/cg/pids/x/tasks", "/cg/pids/tasks"),
        OwnThreads.files("2:pids:/docker/1/x\n3:pids:/docker/1\n4:pids:/docker/12\n",
            List.of(v1("/docker/1", "pids"))));
  }

  @Test
  void whatIsOutsideOfOurNamespaceIsNotShown() {
    assertEquals(List.of(), OwnThreads.files("0::/../other\n0::/..\n", List.of(UNIFIED)));
    assertEquals(List.of(), OwnThreads.files("0::/a\nnonsense\n", List.of(v1("/", "pids"))));
  }
}
