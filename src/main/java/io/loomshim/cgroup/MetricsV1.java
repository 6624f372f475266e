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
import java.util.Map;

/**
 * The statistics of a cgroup v1 (kernel: Documentation/admin-guide/cgroup-v1). A file that is missing is zero and
 * does not keep the others from being read.
 */
final class MetricsV1 {
  /** cpuacct.stat counts in units of USER_HZ, which is 100 on every Linux that glibc runs on. */
  private static final long NANOS_PER_TICK = 1_000_000_000L / 100;

  private static final Path NOWHERE = Path.of("/proc/none");

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
      metrics.setMemoryOomControl(oomControl(StatFiles.text(memory, "memory.oom_control")));
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
    var throttling =
        Throttle.newBuilder()
            .setPeriods(stat.getOrDefault("nr_periods", 0L))
            .setThrottledPeriods(stat.getOrDefault("nr_throttled", 0L))
            .setThrottledTime(stat.getOrDefault("throttled_time", 0L));
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

  static MemoryStat.Builder memoryStat(Map<String, Long> stat) {
    return MemoryStat.newBuilder()
        .setCache(stat.getOrDefault("cache", 0L))
        .setRss(stat.getOrDefault("rss", 0L))
        .setRssHuge(stat.getOrDefault("rss_huge", 0L))
        .setMappedFile(stat.getOrDefault("mapped_file", 0L))
        .setDirty(stat.getOrDefault("dirty", 0L))
        .setWriteback(stat.getOrDefault("writeback", 0L))
        .setPgPgIn(stat.getOrDefault("pgpgin", 0L))
        .setPgPgOut(stat.getOrDefault("pgpgout", 0L))
        .setPgFault(stat.getOrDefault("pgfault", 0L))
        .setPgMajFault(stat.getOrDefault("pgmajfault", 0L))
        .setInactiveAnon(stat.getOrDefault("inactive_anon", 0L))
        .setActiveAnon(stat.getOrDefault("active_anon", 0L))
        .setInactiveFile(stat.getOrDefault("inactive_file", 0L))
        .setActiveFile(stat.getOrDefault("active_file", 0L))
        .setUnevictable(stat.getOrDefault("unevictable", 0L))
        .setHierarchicalMemoryLimit(stat.getOrDefault("hierarchical_memory_limit", 0L))
        .setHierarchicalSwapLimit(stat.getOrDefault("hierarchical_memsw_limit", 0L))
        .setTotalCache(stat.getOrDefault("total_cache", 0L))
        .setTotalRss(stat.getOrDefault("total_rss", 0L))
        .setTotalRssHuge(stat.getOrDefault("total_rss_huge", 0L))
        .setTotalMappedFile(stat.getOrDefault("total_mapped_file", 0L))
        .setTotalDirty(stat.getOrDefault("total_dirty", 0L))
        .setTotalWriteback(stat.getOrDefault("total_writeback", 0L))
        .setTotalPgPgIn(stat.getOrDefault("total_pgpgin", 0L))
        .setTotalPgPgOut(stat.getOrDefault("total_pgpgout", 0L))
        .setTotalPgFault(stat.getOrDefault("total_pgfault", 0L))
        .setTotalPgMajFault(stat.getOrDefault("total_pgmajfault", 0L))
        .setTotalInactiveAnon(stat.getOrDefault("total_inactive_anon", 0L))
        .setTotalActiveAnon(stat.getOrDefault("total_active_anon", 0L))
        .setTotalInactiveFile(stat.getOrDefault("total_inactive_file", 0L))
        .setTotalActiveFile(stat.getOrDefault("total_active_file", 0L))
        .setTotalUnevictable(stat.getOrDefault("total_unevictable", 0L));
  }

  private static MemoryEntry entry(Path directory, String prefix) throws IOException {
    return MemoryEntry.newBuilder()
        .setUsage(StatFiles.value(directory, prefix + "usage_in_bytes"))
        .setMax(StatFiles.value(directory, prefix + "max_usage_in_bytes"))
        .setFailcnt(StatFiles.value(directory, prefix + "failcnt"))
        .setLimit(StatFiles.value(directory, prefix + "limit_in_bytes"))
        .build();
  }

  private static MemoryOomControl oomControl(String text) {
    Map<String, Long> table = StatFiles.table(text);
    return MemoryOomControl.newBuilder()
        .setOomKillDisable(table.getOrDefault("oom_kill_disable", 0L))
        .setUnderOom(table.getOrDefault("under_oom", 0L))
        .setOomKill(table.getOrDefault("oom_kill", 0L))
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
