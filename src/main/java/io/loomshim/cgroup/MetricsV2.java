package io.loomshim.cgroup;

import io.loomshim.proto.cgroups2.CPUStat;
import io.loomshim.proto.cgroups2.HugeTlbStat;
import io.loomshim.proto.cgroups2.IOEntry;
import io.loomshim.proto.cgroups2.IOStat;
import io.loomshim.proto.cgroups2.MemoryEvents;
import io.loomshim.proto.cgroups2.MemoryStat;
import io.loomshim.proto.cgroups2.Metrics;
import io.loomshim.proto.cgroups2.PSIData;
import io.loomshim.proto.cgroups2.PSIStats;
import io.loomshim.proto.cgroups2.PidsStat;
import io.loomshim.proto.cgroups2.RdmaEntry;
import io.loomshim.proto.cgroups2.RdmaStat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The statistics of a cgroup v2 (kernel: Documentation/admin-guide/cgroup-v2.rst). */
final class MetricsV2 {
  private static final List<String> CPU_STAT =
      List.of("usage_usec", "user_usec", "system_usec", "nr_periods", "nr_throttled", "throttled_usec");
  private static final List<String> MEMORY_EVENTS = List.of("low", "high", "max", "oom", "oom_kill");
  private static final List<String> MEMORY_STAT =
      List.of("anon", "file", "kernel_stack", "slab", "sock", "shmem", "file_mapped", "file_dirty", "file_writeback",
          "anon_thp", "inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable",
          "slab_reclaimable", "slab_unreclaimable", "pgfault", "pgmajfault", "workingset_refault",
          "workingset_activate", "workingset_nodereclaim", "pgrefill", "pgscan", "pgsteal", "pgactivate",
          "pgdeactivate", "pglazyfree", "pglazyfreed", "thp_fault_alloc", "thp_collapse_alloc");

  private MetricsV2() {}

  /**
   * Reads everything.
   *
   * @throws java.nio.file.NoSuchFileException when the cgroup is gone
   */
  static Metrics read(Path directory) throws IOException {
    StatFiles.require(directory, "cgroup.controllers");
    var metrics =
        Metrics.newBuilder()
            .setPids(
                PidsStat.newBuilder()
                    .setCurrent(StatFiles.value(directory, "pids.current"))
                    .setLimit(StatFiles.value(directory, "pids.max")))
            .setCpu(cpu(directory))
            .setMemory(memory(directory))
            .setIo(io(directory))
            .setRdma(rdma(directory));
    Map<String, Long> events = StatFiles.table(StatFiles.text(directory, "memory.events"));
    if (!events.isEmpty()) {
      metrics.setMemoryEvents(StatFiles.fill(MemoryEvents.newBuilder(), events, MEMORY_EVENTS));
    }
    for (String size : HugePages.sizes()) {
      if (Files.exists(directory.resolve("hugetlb." + size + ".current"))) {
        metrics.addHugetlb(
            HugeTlbStat.newBuilder()
                .setCurrent(StatFiles.value(directory, "hugetlb." + size + ".current"))
                .setMax(StatFiles.value(directory, "hugetlb." + size + ".max"))
                .setPagesize(size));
      }
    }
    return metrics.build();
  }

  private static CPUStat cpu(Path directory) throws IOException {
    var cpu = StatFiles.fill(CPUStat.newBuilder(), StatFiles.table(StatFiles.text(directory, "cpu.stat")), CPU_STAT);
    pressure(StatFiles.text(directory, "cpu.pressure")).ifPresent(cpu::setPsi);
    return cpu.build();
  }

  private static MemoryStat memory(Path directory) throws IOException {
    var memory =
        memoryStat(StatFiles.table(StatFiles.text(directory, "memory.stat")))
            .setUsage(StatFiles.value(directory, "memory.current"))
            .setUsageLimit(StatFiles.value(directory, "memory.max"))
            .setSwapUsage(StatFiles.value(directory, "memory.swap.current"))
            .setSwapLimit(StatFiles.value(directory, "memory.swap.max"))
            .setMaxUsage(StatFiles.value(directory, "memory.peak"))
            .setSwapMaxUsage(StatFiles.value(directory, "memory.swap.peak"));
    pressure(StatFiles.text(directory, "memory.pressure")).ifPresent(memory::setPsi);
    return memory.build();
  }

  static MemoryStat.Builder memoryStat(Map<String, Long> stat) throws IOException {
    return StatFiles.fill(MemoryStat.newBuilder(), stat, MEMORY_STAT);
  }

  private static IOStat io(Path directory) throws IOException {
    IOStat.Builder io = ioStat(StatFiles.text(directory, "io.stat"));
    pressure(StatFiles.text(directory, "io.pressure")).ifPresent(io::setPsi);
    return io.build();
  }

  /** Lines {@code MAJOR:MINOR KEY=VALUE …}; a line without a key says nothing. */
  static IOStat.Builder ioStat(String text) {
    var io = IOStat.newBuilder();
    for (String line : text.split("\n")) {
      String[] words = line.strip().split(" ");
      String[] device = words[0].split(":");
      if (device.length != 2 || words.length < 2) {
        continue;
      }
      var entry = IOEntry.newBuilder().setMajor(StatFiles.number(device[0])).setMinor(StatFiles.number(device[1]));
      for (int i = 1; i < words.length; i++) {
        int equals = words[i].indexOf('=');
        long value = StatFiles.number(words[i].substring(equals + 1));
        switch (equals < 0 ? "" : words[i].substring(0, equals)) {
          case "rbytes" -> entry.setRbytes(value);
          case "wbytes" -> entry.setWbytes(value);
          case "rios" -> entry.setRios(value);
          case "wios" -> entry.setWios(value);
          default -> {} // discards, and what a later kernel adds
        }
      }
      io.addUsage(entry);
    }
    return io;
  }

  private static RdmaStat rdma(Path directory) throws IOException {
    var rdma = RdmaStat.newBuilder();
    for (Rdma.Line line : Rdma.parse(StatFiles.text(directory, "rdma.current"))) {
      rdma.addCurrent(entry(line));
    }
    for (Rdma.Line line : Rdma.parse(StatFiles.text(directory, "rdma.max"))) {
      rdma.addLimit(entry(line));
    }
    return rdma.build();
  }

  private static RdmaEntry entry(Rdma.Line line) {
    return RdmaEntry.newBuilder()
        .setDevice(line.device())
        .setHcaHandles(line.handles())
        .setHcaObjects(line.objects())
        .build();
  }

  /** Pressure stall information (kernel: accounting/psi.rst); nothing where the kernel does not measure it. */
  static Optional<PSIStats> pressure(String text) {
    if (text.isEmpty()) {
      return Optional.empty();
    }
    var stats = PSIStats.newBuilder();
    for (String line : text.split("\n")) {
      String[] words = line.split(" ");
      var data = PSIData.newBuilder();
      for (int i = 1; i < words.length; i++) {
        String value = words[i].substring(words[i].indexOf('=') + 1);
        if (words[i].startsWith("avg10=")) {
          data.setAvg10(Double.parseDouble(value));
        } else if (words[i].startsWith("avg60=")) {
          data.setAvg60(Double.parseDouble(value));
        } else if (words[i].startsWith("avg300=")) {
          data.setAvg300(Double.parseDouble(value));
        } else if (words[i].startsWith("total=")) {
          data.setTotal(StatFiles.number(value));
        }
      }
      if (words[0].equals("some")) {
        stats.setSome(data);
      } else if (words[0].equals("full")) {
        stats.setFull(data);
      }
    }
    return Optional.of(stats.build());
  }
}
