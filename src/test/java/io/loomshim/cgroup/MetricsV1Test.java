package io.loomshim.cgroup;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.proto.cgroups1.BlkIOEntry;
import io.loomshim.proto.cgroups1.HugetlbStat;
import io.loomshim.proto.cgroups1.MemoryEntry;
import io.loomshim.proto.cgroups1.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each field against the kernel's own file, on a cgroup that the test makes. */
class MetricsV1Test {
  private static final List<String> CONTROLLERS = List.of("cpu", "cpuacct", "memory", "pids", "blkio");

  /** In the order of their fields, from 1. */
  private static final List<String> MEMORY_STAT = List.of("cache", "rss", "rss_huge", "mapped_file", "dirty",
      "writeback", "pgpgin", "pgpgout", "pgfault", "pgmajfault", "inactive_anon", "active_anon", "inactive_file",
      "active_file", "unevictable", "hierarchical_memory_limit", "hierarchical_memsw_limit", "total_cache", "total_rss",
      "total_rss_huge", "total_mapped_file", "total_dirty", "total_writeback", "total_pgpgin", "total_pgpgout",
      "total_pgfault", "total_pgmajfault", "total_inactive_anon", "total_active_anon", "total_inactive_file",
      "total_active_file", "total_unevictable");

  private final Map<String, Path> directories = new HashMap<>();
  private Process process;

  @BeforeEach
  void makeCgroups() throws Exception {
    assumeFalse(Cgroup.unified(), "needs the controllers of cgroup v1, this machine has v2");
    process = new ProcessBuilder("sh", "-c", "read go; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; cat").start();
    for (String controller : CONTROLLERS) {
      Path directory = Path.of("/sys/fs/cgroup", controller, "loomtest-" + process.pid());
      Files.createDirectory(directory);
      directories.put(controller, directory);
      Files.writeString(directory.resolve("cgroup.procs"), Long.toString(process.pid()));
    }
    process.getOutputStream().write("go\nback\n".getBytes());
    process.getOutputStream().flush();
    assertEquals('b', process.getInputStream().read()); // it has worked, and waits now
  }

  @AfterEach
  void removeCgroups() throws Exception {
    if (process != null) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
      for (Path directory : directories.values()) {
        await().until(() -> Files.readString(directory.resolve("cgroup.procs")).isEmpty());
        await().ignoreExceptions().until(() -> Files.deleteIfExists(directory) || !Files.exists(directory));
      }
    }
  }

  private String file(String controller, String name) throws IOException {
    return Files.readString(directories.get(controller).resolve(name)).strip();
  }

  private long number(String controller, String name) throws IOException {
    return Long.parseUnsignedLong(file(controller, name));
  }

  private long line(String controller, String name, String key) throws IOException {
    for (String line : file(controller, name).split("\n")) {
      if (line.startsWith(key + " ")) {
        return Long.parseUnsignedLong(line.substring(key.length() + 1));
      }
    }
    throw new AssertionError("no " + key + " in " + name);
  }

  @Test
  void processorTimeIsInNanosecondsAndEqualToTheKernelsFiles() throws Exception {
    long before = number("cpuacct", "cpuacct.usage");
    long userBefore = line("cpuacct", "cpuacct.stat", "user");
    long systemBefore = line("cpuacct", "cpuacct.stat", "system");
    Metrics metrics = MetricsV1.read(directories);
    var usage = metrics.getCpu().getUsage();
    assertTrue(before > 1_000_000, "the loop takes more than a millisecond");
    between(before, usage.getTotal(), number("cpuacct", "cpuacct.usage"));
    between(userBefore * 10_000_000, usage.getUser(), line("cpuacct", "cpuacct.stat", "user") * 10_000_000);
    between(systemBefore * 10_000_000, usage.getKernel(), line("cpuacct", "cpuacct.stat", "system") * 10_000_000);
    assertEquals(file("cpuacct", "cpuacct.usage_percpu").split(" ").length, usage.getPerCpuCount());
    long sum = usage.getPerCpuList().stream().mapToLong(Long::longValue).sum();
    between(before, sum, number("cpuacct", "cpuacct.usage"));
    assertEquals(line("cpu", "cpu.stat", "nr_periods"), metrics.getCpu().getThrottling().getPeriods());
  }

  private static void between(long before, long value, long after) {
    assertTrue(before <= value && value <= after, before + " <= " + value + " <= " + after);
  }

  @Test
  void throttlingIsCountedInPeriodsAndNanosecondsWhenTheQuotaIsUsedUp() throws Exception {
    Files.writeString(directories.get("cpu").resolve("cpu.cfs_quota_us"), "1000");
    Process busy = new ProcessBuilder("sh", "-c", "read go; while :; do :; done").start();
    try {
      Files.writeString(directories.get("cpu").resolve("cgroup.procs"), Long.toString(busy.pid()));
      busy.getOutputStream().write('\n');
      busy.getOutputStream().flush();
      // the kernel adds the time only when it lets the group run again
      await().until(() -> line("cpu", "cpu.stat", "throttled_time") > 1_000_000);
      long periods = line("cpu", "cpu.stat", "nr_periods");
      long throttled = line("cpu", "cpu.stat", "nr_throttled");
      long time = line("cpu", "cpu.stat", "throttled_time");
      var throttling = MetricsV1.read(directories).getCpu().getThrottling();
      between(periods, throttling.getPeriods(), line("cpu", "cpu.stat", "nr_periods"));
      between(throttled, throttling.getThrottledPeriods(), line("cpu", "cpu.stat", "nr_throttled"));
      between(time, throttling.getThrottledTime(), line("cpu", "cpu.stat", "throttled_time"));
      assertTrue(throttled > 0);
    } finally {
      busy.destroyForcibly().waitFor();
    }
  }

  @Test
  void processesAndTheirLimitAreCountedAndNoLimitIsZero() throws Exception {
    assertEquals(0, MetricsV1.read(directories).getPids().getLimit());
    Files.writeString(directories.get("pids").resolve("pids.max"), "42");
    Metrics metrics = MetricsV1.read(directories);
    assertEquals(42, metrics.getPids().getLimit());
    assertEquals(number("pids", "pids.current"), metrics.getPids().getCurrent());
    assertEquals(2, metrics.getPids().getCurrent()); // the shell and its cat
  }

  @Test
  void everyFieldOfTheMemoryStatisticsIsTheKernelsOwn() throws Exception {
    Files.writeString(directories.get("memory").resolve("memory.limit_in_bytes"), "104857600");
    // steady while both processes wait, but for what the kernel still frees behind them
    await().untilAsserted(this::memoryIsTheKernelsOwn);
  }

  private void memoryIsTheKernelsOwn() throws IOException {
    Metrics metrics = MetricsV1.read(directories);
    var memory = metrics.getMemory();
    assertEquals(104857600, memory.getUsage().getLimit());
    assertEquals(104857600, memory.getHierarchicalMemoryLimit());
    assertTrue(memory.getUsage().getUsage() > 0);
    var table = StatFiles.table(file("memory", "memory.stat"));
    Map<Integer, Long> fields = Wire.numbers(memory);
    for (int field = 1; field <= MEMORY_STAT.size(); field++) {
      String name = MEMORY_STAT.get(field - 1);
      assertEquals(table.getOrDefault(name, 0L), fields.getOrDefault(field, 0L), name);
    }
    assertTrue(memory.getRss() > 0 && memory.getTotalPgFault() > 0, table::toString);
    for (var each : Map.of("memory.", memory.getUsage(), "memory.memsw.", memory.getSwap(), "memory.kmem.",
        memory.getKernel(), "memory.kmem.tcp.", memory.getKernelTcp()).entrySet()) {
      entryIsTheKernels(each.getKey(), each.getValue());
    }
    assertEquals(line("memory", "memory.oom_control", "oom_kill"), metrics.getMemoryOomControl().getOomKill());
    assertEquals(0, metrics.getMemoryOomControl().getUnderOom());
  }

  private void entryIsTheKernels(String prefix, MemoryEntry entry) throws IOException {
    assertEquals(number("memory", prefix + "limit_in_bytes"), entry.getLimit(), prefix);
    assertEquals(number("memory", prefix + "usage_in_bytes"), entry.getUsage(), prefix);
    assertEquals(number("memory", prefix + "max_usage_in_bytes"), entry.getMax(), prefix);
    assertEquals(number("memory", prefix + "failcnt"), entry.getFailcnt(), prefix);
  }

  @Test
  void everyNameOfMemoryStatHasItsField() throws Exception {
    Wire.assertFieldsInOrder(MEMORY_STAT, stat -> MetricsV1.memoryStat(stat).build());
  }

  @Test
  void blockIoFallsBackToThrottlingAndNamesItsDevices() throws Exception {
    var disks = BlockIo.disks("   8       0 sda 1 2 3\n   8       1 sda1 1\n   8       0 again 1\n");
    var entries = BlockIo.parse("8:0 Read 4096\n8:0 Write 1\n8:0 Total 4097\n8:16 7\nTotal 4104\n", disks);
    assertEquals(4, entries.size());
    assertEquals("/dev/sda", entries.get(0).getDevice());
    assertEquals("Read", entries.get(0).getOp());
    assertEquals(4096, entries.get(0).getValue());
    assertEquals("", entries.get(3).getOp());
    assertEquals("", entries.get(3).getDevice());
    assertEquals(16, entries.get(3).getMinor());
    var read = BlockIo.read(directories.get("blkio"));
    assertEquals(BlockIo.parse(file("blkio", "blkio.throttle.io_serviced"), Map.of()).size(),
        read.getIoServicedRecursiveCount());
  }

  @Test
  void whatTheProcessesWroteToDisksIsCountedPerDeviceAndOperation(@TempDir Path temp) throws Exception {
    long device = (Long) Files.getAttribute(temp, "unix:dev");
    String number = (device >> 8 & 0xfff) + ":" + (device & 0xff);
    // newer kernels count only where there is a limit; this one is never reached
    Path limit = directories.get("blkio").resolve("blkio.throttle.write_bps_device");
    try {
      Files.writeString(limit, number + " 1073741824");
    } catch (IOException e) {
      assumeTrue(false, "needs a directory for temporary files on a whole disk");
    }
    String writer = "read go; exec dd if=/dev/zero of=" + temp + "/data bs=4096 count=8 oflag=direct status=none";
    Process dd = new ProcessBuilder("sh", "-c", writer).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    Files.writeString(directories.get("blkio").resolve("cgroup.procs"), Long.toString(dd.pid()));
    dd.getOutputStream().write('\n');
    dd.getOutputStream().flush();
    assumeTrue(dd.waitFor() == 0, "needs a directory for temporary files that can be written to directly");
    String bytes = file("blkio", "blkio.throttle.io_service_bytes");
    assumeFalse(Files.exists(directories.get("blkio").resolve("blkio.io_serviced_recursive")), "a scheduler counts");
    var stat = MetricsV1.read(directories).getBlkio();
    assertEquals(lines(bytes), told(stat.getIoServiceBytesRecursiveList()));
    assertEquals(lines(file("blkio", "blkio.throttle.io_serviced")), told(stat.getIoServicedRecursiveList()));
    var write = stat.getIoServiceBytesRecursiveList().stream().filter(e -> e.getOp().equals("Write")).findFirst();
    assertEquals(8 * 4096, write.orElseThrow().getValue());
    assertEquals(number, write.get().getMajor() + ":" + write.get().getMinor());
    assertEquals("/dev/" + Path.of("/sys/dev/block", number).toRealPath().getFileName(), write.get().getDevice());
  }

  /** Without the sum over all devices, which is in no field. */
  private static List<String> lines(String text) {
    return text.lines().filter(line -> !line.startsWith("Total")).toList();
  }

  private static List<String> told(List<BlkIOEntry> entries) {
    return entries.stream().map(e -> e.getMajor() + ":" + e.getMinor() + " " + e.getOp() + " " + e.getValue()).toList();
  }

  @Test
  void rdmaIsToldWhenBothFilesHaveTheSameDevicesAndHugePagesWhereTheyAreCounted(@TempDir Path temp) throws Exception {
    Files.writeString(temp.resolve("rdma.current"), "mlx4_0 hca_handle=2 hca_object=2000\n");
    Files.writeString(temp.resolve("rdma.max"), "mlx4_0 hca_handle=3 hca_object=max\n");
    var controllers = Map.of("rdma", temp, "hugetlb", temp);
    var rdma = MetricsV1.read(controllers).getRdma();
    assertEquals("mlx4_0", rdma.getCurrent(0).getDevice());
    assertEquals(2000, rdma.getCurrent(0).getHcaObjects());
    assertEquals(3, rdma.getLimit(0).getHcaHandles());
    assertEquals(4294967295L, Integer.toUnsignedLong(rdma.getLimit(0).getHcaObjects()));
    Files.writeString(temp.resolve("rdma.max"), "");
    assertFalse(MetricsV1.read(controllers).hasRdma());
    for (String size : HugePages.sizes()) {
      Files.writeString(temp.resolve("hugetlb." + size + ".usage_in_bytes"), "2097152\n");
      Files.writeString(temp.resolve("hugetlb." + size + ".max_usage_in_bytes"), "4194304\n");
      Files.writeString(temp.resolve("hugetlb." + size + ".failcnt"), "5\n");
    }
    var pages = MetricsV1.read(controllers).getHugetlbList();
    assertEquals(HugePages.sizes(), pages.stream().map(HugetlbStat::getPagesize).toList());
    for (HugetlbStat page : pages) {
      assertEquals(Map.of(1, 2097152L, 2, 4194304L, 3, 5L), Wire.numbers(page));
    }
  }

  @Test
  void aCgroupThatIsGoneHasNothingButZeros() throws Exception {
    Metrics metrics = MetricsV1.read(Map.of("memory", Path.of("/no"), "pids", Path.of("/no"), "rdma", Path.of("/no")));
    assertEquals(0, metrics.getCpu().getUsage().getTotal());
    assertEquals(0, metrics.getPids().getCurrent());
    assertTrue(metrics.hasCpu());
    assertFalse(metrics.hasMemory() || metrics.hasMemoryOomControl() || metrics.hasPids() || metrics.hasRdma());
  }

  @Test
  void rdmaAndHugePagesAreRead() {
    assertEquals(List.of(new Rdma.Line("mlx4_0", 2, 2000), new Rdma.Line("ocrdma1", 3, -1)),
        Rdma.parse("mlx4_0 hca_handle=2 hca_object=2000\nocrdma1 hca_handle=3 hca_object=max\n"));
    assertEquals("64KB", HugePages.size(64));
    assertEquals("2MB", HugePages.size(2048));
    assertEquals("1GB", HugePages.size(1 << 20));
  }

  @Test
  void oneMissingFileDoesNotKeepTheOthersFromBeingRead(@TempDir Path temp) throws Exception {
    Path memory = Files.createDirectory(temp.resolve("memory"));
    // a kernel without accounting of swap
    Files.writeString(memory.resolve("memory.usage_in_bytes"), "4096\n");
    Files.writeString(memory.resolve("memory.kmem.tcp.limit_in_bytes"), "9223372036854771712\n");
    Files.writeString(memory.resolve("memory.oom_control"), "oom_kill_disable 1\nunder_oom 1\noom_kill 3\n");
    Metrics metrics = MetricsV1.read(Map.of("memory", memory));
    assertEquals(4096, metrics.getMemory().getUsage().getUsage());
    assertTrue(metrics.getMemory().hasSwap());
    assertEquals(0, metrics.getMemory().getSwap().getLimit());
    assertEquals(9223372036854771712L, metrics.getMemory().getKernelTcp().getLimit());
    assertEquals(1, metrics.getMemoryOomControl().getOomKillDisable());
    assertEquals(1, metrics.getMemoryOomControl().getUnderOom());
    assertEquals(3, metrics.getMemoryOomControl().getOomKill());
  }

  @Test
  void theFiguresOfTheSchedulerComeBeforeThoseOfThrottling(@TempDir Path temp) throws Exception {
    Files.writeString(temp.resolve("blkio.throttle.io_serviced"), "7:0 Read 9\nTotal 9\n");
    Files.writeString(temp.resolve("blkio.throttle.io_service_bytes"), "7:0 Read 99\nTotal 99\n");
    Files.writeString(temp.resolve("blkio.io_serviced_recursive"), "Total 0\n");
    var fallback = BlockIo.read(temp);
    assertEquals(9, fallback.getIoServicedRecursive(0).getValue());
    assertEquals(99, fallback.getIoServiceBytesRecursive(0).getValue());
    var files = List.of("io_service_bytes_recursive", "io_serviced_recursive", "io_queued_recursive",
        "io_service_time_recursive", "io_wait_time_recursive", "io_merged_recursive", "time_recursive",
        "sectors_recursive");
    for (int i = 0; i < files.size(); i++) {
      Files.writeString(temp.resolve("blkio." + files.get(i)), "8:0 " + (i + 1) + "\n");
    }
    var stat = BlockIo.read(temp);
    assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L),
        List.of(stat.getIoServiceBytesRecursive(0).getValue(), stat.getIoServicedRecursive(0).getValue(),
            stat.getIoQueuedRecursive(0).getValue(), stat.getIoServiceTimeRecursive(0).getValue(),
            stat.getIoWaitTimeRecursive(0).getValue(), stat.getIoMergedRecursive(0).getValue(),
            stat.getIoTimeRecursive(0).getValue(), stat.getSectorsRecursive(0).getValue()));
  }
}
