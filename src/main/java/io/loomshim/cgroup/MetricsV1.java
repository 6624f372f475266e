package io.loomshim.cgroup;

import io.loomshim.proto.cgroups1.CPUStat;
import io.loomshim.proto.cgroups1.CPUUsage;
import io.loomshim.proto.cgroups1.HugetlbStat;
import io.loomshim.proto.cgroups1.MemoryEntry;
import io.loomshim.proto.cgroups1.MemoryOomControl;
import io.loomshim.proto.cgroups1.MemoryStat;
import io.loomshim.proto.cgroups1.Metrics;
import io.loomshim.proto.cgroups1.PidsStat;
import io.loomshim.proto.cgroups1.RdmaEntry;
import io.loomshim.proto.cgroups1.RdmaStat;
import io.loomshim.proto.cgroups1.Throttle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The statistics of a cgroup v1 (kernel: Documentation/admin-guide/cgroup-v1). A file that is missing is zero and
 * does not keep the others from being read.
 */
final class MetricsV1 {
  /** cpuacct.stat counts in units of USER_HZ, which is 100 on every Linux that glibc runs on. */
  private static final long NANOS_PER_TICK = 1_000_000_000L / 100;

  private static final Path NOWHERE = Path.of("/proc/none");

  private static final List<String> THROTTLE = List.of("nr_periods", "nr_throttled", "throttled_time");
  private static final List<String> OOM_CONTROL = List.of("oom_kill_disable", "under_oom", "oom_kill");
  private static final List<String> MEMORY_STAT =
      List.of("cache", "rss", "rss_huge", "mapped_file", "dirty", "writeback", "pgpgin", "pgpgout", "pgfault",
          "pgmajfault", "inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable",
          "hierarchical_memory_limit", "hierarchical_memsw_limit", "total_cache", "total_rss", "total_rss_huge",
          "total_mapped_file", "total_dirty", "total_writeback", "total_pgpgin", "total_pgpgout", "total_pgfault",
          "total_pgmajfault", "total_inactive_anon", "total_active_anon", "total_inactive_file",
          "total_active_file", "total_unevictable");

  private MetricsV1() {}

  /** Reads everything from the directories of the controllers. */
  static Metrics read(Map<String, Path> directories) throws IOException {
    Path memory = directories.getOrDefault("memory", NOWHERE);
    var metrics = Metrics.newBuilder().setCpu(cpu(directories));
    if (Files.isDirectory(directories.getOrDefault("pids", NOWHERE))) {
      metrics.setPids(pids(directories.get("pids")));
    }
    if (Files.isDirectory(memory)) {
      metrics.setMemory(memory(memory));
      var control = StatFiles.table(StatFiles.text(memory, "memory.oom_control"));
      metrics.setMemoryOomControl(StatFiles.fill(MemoryOomControl.newBuilder(), control, OOM_CONTROL));
    }
    if (Files.isDirectory(directories.getOrDefault("blkio", NOWHERE))) {
      metrics.setBlkio(BlockIo.read(directories.get("blkio")));
    }
    if (Files.isDirectory(directories.getOrDefault("rdma", NOWHERE))) {
      rdma(metrics, directories.get("rdma"));
    }
    if (directories.containsKey("hugetlb")) {
      hugetlb(metrics, directories.get("hugetlb"));
    }
    return metrics.build();
  }

  private static CPUStat cpu(Map<String, Path> directories) throws IOException {
    Path cpuacct = directories.getOrDefault("cpuacct", NOWHERE);
    Map<String, Long> ticks = StatFiles.table(StatFiles.text(cpuacct, "cpuacct.stat"));
    var usage =
        CPUUsage.newBuilder()
            .setTotal(StatFiles.value(cpuacct, "cpuacct.usage"))
            .setUser(ticks.getOrDefault("user", 0L) * NANOS_PER_TICK)
            .setKernel(ticks.getOrDefault("system", 0L) * NANOS_PER_TICK);
    String perCpu = StatFiles.text(cpuacct, "cpuacct.usage_percpu").strip();
    if (!perCpu.isEmpty()) {
      for (String word : perCpu.split(" ")) {
        usage.addPerCpu(StatFiles.number(word));
      }
    }
    Path cpu = directories.getOrDefault("cpu", NOWHERE);
    Map<String, Long> stat = StatFiles.table(StatFiles.text(cpu, "cpu.stat"));
    var throttling = StatFiles.fill(Throttle.newBuilder(), stat, THROTTLE);
    return CPUStat.newBuilder().setUsage(usage).setThrottling(throttling).build();
  }

  /** No limit is told as 0 here, other than on cgroup v2. */
  private static PidsStat pids(Path directory) throws IOException {
    long limit = StatFiles.value(directory, "pids.max");
    return PidsStat.newBuilder()
        .setCurrent(StatFiles.value(directory, "pids.current"))
        .setLimit(limit == StatFiles.UNLIMITED ? 0 : limit)
        .build();
  }

  private static MemoryStat memory(Path directory) throws IOException {
    Map<String, Long> stat = StatFiles.table(StatFiles.text(directory, "memory.stat"));
    return memoryStat(stat)
        .setUsage(entry(directory, "memory."))
        .setSwap(entry(directory, "memory.memsw."))
        .setKernel(entry(directory, "memory.kmem."))
        .setKernelTcp(entry(directory, "memory.kmem.tcp."))
        .build();
  }

  static MemoryStat.Builder memoryStat(Map<String, Long> stat) throws IOException {
    return StatFiles.fill(MemoryStat.newBuilder(), stat, MEMORY_STAT);
  }

  private static MemoryEntry entry(Path directory, String prefix) throws IOException {
    return MemoryEntry.newBuilder()
        .setUsage(StatFiles.value(directory, prefix + "usage_in_bytes"))
        .setMax(StatFiles.value(directory, prefix + "max_usage_in_bytes"))
        .setFailcnt(StatFiles.value(directory, prefix + "failcnt"))
        .setLimit(StatFiles.value(directory, prefix + "limit_in_bytes"))
        .build();
  }

  private static void rdma(Metrics.Builder metrics, Path directory) throws IOException {
    var rdma = RdmaStat.newBuilder();
    for (Rdma.Line line : Rdma.parse(StatFiles.text(directory, "rdma.current"))) {
      rdma.addCurrent(entry(line));
    }
    for (Rdma.Line line : Rdma.parse(StatFiles.text(directory, "rdma.max"))) {
      rdma.addLimit(entry(line));
    }
    if (rdma.getCurrentCount() == rdma.getLimitCount()) {
      metrics.setRdma(rdma);
    }
  }

  private static RdmaEntry entry(Rdma.Line line) {
    return RdmaEntry.newBuilder()
        .setDevice(line.device())
        .setHcaHandles(line.handles())
        .setHcaObjects(line.objects())
        .build();
  }

  private static void hugetlb(Metrics.Builder metrics, Path directory) throws IOException {
    for (String size : HugePages.sizes()) {
      String prefix = "hugetlb." + size + ".";
      if (Files.exists(directory.resolve(prefix + "usage_in_bytes"))) {
        metrics.addHugetlb(
            HugetlbStat.newBuilder()
                .setUsage(StatFiles.value(directory, prefix + "usage_in_bytes"))
                .setMax(StatFiles.value(directory, prefix + "max_usage_in_bytes"))
                .setFailcnt(StatFiles.value(directory, prefix + "failcnt"))
                .setPagesize(size));
      }
    }
  }
}
