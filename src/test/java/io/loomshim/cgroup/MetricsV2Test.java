package io.loomshim.cgroup;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.proto.cgroups2.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsV2Test {
  /** In the order of their fields, from 1. */
  private static final List<String> MEMORY_STAT = List.of("anon", "file", "kernel_stack", "slab", "sock", "shmem",
      "file_mapped", "file_dirty", "file_writeback", "anon_thp", "inactive_anon", "active_anon", "inactive_file",
      "active_file", "unevictable", "slab_reclaimable", "slab_unreclaimable", "pgfault", "pgmajfault",
      "workingset_refault", "workingset_activate", "workingset_nodereclaim", "pgrefill", "pgscan", "pgsteal",
      "pgactivate", "pgdeactivate", "pglazyfree", "pglazyfreed", "thp_fault_alloc", "thp_collapse_alloc");
  private static final List<String> CPU_STAT =
      List.of("usage_usec", "user_usec", "system_usec", "nr_periods", "nr_throttled", "throttled_usec");
  private static final List<String> MEMORY_EVENTS = List.of("low", "high", "max", "oom", "oom_kill");

  @TempDir Path temp;

  private void write(Map<String, String> files) throws IOException {
    for (var file : files.entrySet()) {
      Files.writeString(temp.resolve(file.getKey()), file.getValue());
    }
  }

  @Test
  void everyFileBecomesItsFields() throws Exception {
    write(Map.of("cgroup.controllers", "cpu io memory pids\n", "pids.current", "3\n", "pids.max", "max\n",
        "cpu.stat", "usage_usec 100\nuser_usec 60\nsystem_usec 40\nnr_periods 5\nnr_throttled 2\nthrottled_usec 77\n",
        "memory.stat", "anon 4096\nfile 8192\nkernel_stack 1\npgfault 9\nthp_collapse_alloc 31\nfrom_the_future 1\n",
        "memory.current", "12288\n", "memory.max", "104857600\n", "memory.peak", "20000\n",
        "memory.events", "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\n",
        "io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n8:16 \n253:1 rbytes=9\n"));
    write(Map.of("memory.swap.current", "0\n", "memory.swap.max", "max\n",
        "cpu.pressure",
        "some avg10=1.50 avg60=0.25 avg300=0.00 total=1234\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n"));
    Metrics metrics = MetricsV2.read(temp);
    assertEquals(3, metrics.getPids().getCurrent());
    assertEquals(-1, metrics.getPids().getLimit()); // 2^64 - 1
    assertEquals(100, metrics.getCpu().getUsageUsec());
    assertEquals(60, metrics.getCpu().getUserUsec());
    assertEquals(40, metrics.getCpu().getSystemUsec());
    assertEquals(77, metrics.getCpu().getThrottledUsec());
    assertEquals(1.5, metrics.getCpu().getPsi().getSome().getAvg10());
    assertEquals(1234, metrics.getCpu().getPsi().getSome().getTotal());
    assertEquals(9, metrics.getCpu().getPsi().getFull().getTotal());
    assertEquals(4096, metrics.getMemory().getAnon());
    assertEquals(8192, metrics.getMemory().getFile());
    assertEquals(31, metrics.getMemory().getThpCollapseAlloc());
    assertEquals(12288, metrics.getMemory().getUsage());
    assertEquals(104857600, metrics.getMemory().getUsageLimit());
    assertEquals(-1, metrics.getMemory().getSwapLimit());
    assertEquals(20000, metrics.getMemory().getMaxUsage());
    assertFalse(metrics.getMemory().hasPsi());
    assertEquals(4, metrics.getMemoryEvents().getOom());
    assertEquals(5, metrics.getMemoryEvents().getOomKill());
    assertEquals(2, metrics.getIo().getUsageCount());
    assertEquals(4, metrics.getIo().getUsage(0).getWios());
    assertEquals(253, metrics.getIo().getUsage(1).getMajor());
    assertTrue(metrics.hasRdma());
  }

  @Test
  void everyNameOfMemoryStatHasItsField() throws Exception {
    Wire.assertFieldsInOrder(MEMORY_STAT, stat -> MetricsV2.memoryStat(stat).build());
  }

  @Test
  void everyFigureOfARealCgroupIsTheOneInTheKernelsFile() throws Exception {
    assumeTrue(Cgroup.unified(), "needs a machine with cgroup v2: integration/cgroup2/run.sh has one");
    Path cgroup = Files.createDirectory(Path.of("/sys/fs/cgroup/loomtest-all-" + ProcessHandle.current().pid()));
    Process process = new ProcessBuilder("sh", "-c", "read go; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; cat")
        .start();
    try {
      Files.writeString(cgroup.resolve("cgroup.procs"), Long.toString(process.pid()));
      Files.writeString(cgroup.resolve("memory.max"), "67108864");
      process.getOutputStream().write("go\nback\n".getBytes());
      process.getOutputStream().flush();
      assertEquals('b', process.getInputStream().read()); // it has worked, and waits now
      // the kernel still sums up, in the background, what happened before
      await().untilAsserted(() -> figuresAreTheKernels(cgroup));
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
      await().ignoreExceptions().until(() -> Files.deleteIfExists(cgroup) || !Files.exists(cgroup));
    }
  }

  private static void figuresAreTheKernels(Path cgroup) throws IOException {
    Metrics metrics = MetricsV2.read(cgroup);
    var memory = new TreeMap<Integer, Long>();
    var stat = table(cgroup, "memory.stat");
    for (int field = 1; field <= MEMORY_STAT.size(); field++) {
      put(memory, field, stat.getOrDefault(MEMORY_STAT.get(field - 1), 0L));
    }
    var values = List.of("memory.current", "memory.max", "memory.swap.current", "memory.swap.max", "memory.peak",
        "memory.swap.peak");
    for (int i = 0; i < values.size(); i++) {
      put(memory, MEMORY_STAT.size() + 1 + i, value(cgroup, values.get(i)));
    }
    assertEquals(memory, Wire.numbers(metrics.getMemory()));
    assertEquals(67108864, metrics.getMemory().getUsageLimit());
    assertEquals(named(cgroup, "cpu.stat", CPU_STAT), Wire.numbers(metrics.getCpu()));
    assertTrue(metrics.getCpu().getUsageUsec() > 1000, "the loop takes more than a millisecond");
    assertEquals(named(cgroup, "memory.events", MEMORY_EVENTS), Wire.numbers(metrics.getMemoryEvents()));
    assertEquals(value(cgroup, "pids.current"), metrics.getPids().getCurrent());
    assertEquals(value(cgroup, "pids.max"), metrics.getPids().getLimit());
    assertEquals(Files.exists(cgroup.resolve("cpu.pressure")), metrics.getCpu().hasPsi());
    assertEquals(Files.readAllLines(cgroup.resolve("io.stat")).stream().filter(line -> line.contains("=")).count(),
        metrics.getIo().getUsageCount());
  }

  private static Map<Integer, Long> named(Path cgroup, String file, List<String> names) throws IOException {
    var fields = new TreeMap<Integer, Long>();
    for (int field = 1; field <= names.size(); field++) {
      put(fields, field, table(cgroup, file).getOrDefault(names.get(field - 1), 0L));
    }
    return fields;
  }

  private static Map<String, Long> table(Path cgroup, String file) throws IOException {
    return StatFiles.table(Files.readString(cgroup.resolve(file)));
  }

  /** Not every kernel has each file. */
  private static long value(Path cgroup, String file) throws IOException {
    if (!Files.exists(cgroup.resolve(file))) {
      return 0;
    }
    String text = Files.readString(cgroup.resolve(file)).strip();
    return text.equals("max") ? -1 : Long.parseUnsignedLong(text);
  }

  /** What is 0 is not sent. */
  private static void put(Map<Integer, Long> fields, int field, long value) {
    if (value != 0) {
      fields.put(field, value);
    }
  }

  @Test
  void whatIsMissingIsZeroAndNoMemoryEventsAreNone() throws Exception {
    write(Map.of("cgroup.controllers", "\n"));
    Metrics metrics = MetricsV2.read(temp);
    assertEquals(0, metrics.getPids().getLimit());
    assertEquals(0, metrics.getMemory().getUsage());
    assertFalse(metrics.hasMemoryEvents());
    assertTrue(metrics.hasIo());
  }

  @Test
  void aCgroupThatIsGoneIsAnError() {
    assertThrows(NoSuchFileException.class, () -> MetricsV2.read(temp.resolve("gone")));
  }

  @Test
  void aRealCgroupIsToldInTheKernelsOwnFigures() throws Exception {
    assumeTrue(Cgroup.unified(), "needs a machine with cgroup v2: integration/cgroup2/run.sh has one");
    Path directory = Files.createDirectory(Path.of("/sys/fs/cgroup/loomtest-" + ProcessHandle.current().pid()));
    Process process = new ProcessBuilder("cat").start();
    try {
      Files.writeString(directory.resolve("cgroup.procs"), Long.toString(process.pid()));
      // a process that runs has new figures at each look
      Files.writeString(directory.resolve("cgroup.freeze"), "1");
      await().until(() -> Files.readString(directory.resolve("cgroup.events")).contains("frozen 1"));
      // the kernel still sums up, in the background, what happened before
      await().untilAsserted(() -> {
        Metrics metrics = MetricsV2.read(directory);
        var table = StatFiles.table(Files.readString(directory.resolve("cpu.stat")));
        assertEquals(table.get("user_usec"), metrics.getCpu().getUserUsec());
        assertEquals(table.get("system_usec"), metrics.getCpu().getSystemUsec());
        assertEquals(table.get("usage_usec"), metrics.getCpu().getUsageUsec());
        assertEquals(Files.readString(directory.resolve("memory.current")).strip(),
            Long.toString(metrics.getMemory().getUsage()));
      });
      Metrics metrics = MetricsV2.read(directory);
      assertEquals(1, metrics.getPids().getCurrent());
      assertEquals(-1, metrics.getMemory().getUsageLimit());
    } finally {
      process.destroyForcibly().waitFor();
      Files.delete(directory);
    }
  }
}
