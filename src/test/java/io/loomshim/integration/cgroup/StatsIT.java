package io.loomshim.integration.cgroup;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.InvalidProtocolBufferException;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.proto.cgroups1.Metrics;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What Stats tells of a container. */
final class StatsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  /** Far more than 64 pages for each of the processors that one shell meets, far less than the limit that is set. */
  private static final int HELD_BYTES = 8 << 20;

  private static Metrics metrics(ShimClient task) {
    try {
      var any = task.stats();
      assertEquals("io.containerd.cgroups.v1.Metrics", any.getTypeUrl());
      return Metrics.parseFrom(any.getValue());
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ShimClient running(Shim shim, String... command) {
    var task = BED.shims().start(shim, BED.shims().bundle(Names.id("stats"), command));
    task.create();
    task.start();
    return task;
  }

  /**
   * A shell that holds some memory, and the sleep that it waits for: the kernel counts pages in batches for each
   * processor, so that a cgroup with few of them may tell 0.
   */
  private static ShimClient holding(Shim shim) {
    var task = running(shim, "sh", "-c", "v=$(head -c " + HELD_BYTES + " /dev/zero | tr '\\0' x); sleep 1000; echo $v");
    long pid = task.state("").getPid();
    Await.until("it holds its memory and sleeps", () -> Proc.all().values().stream().anyMatch(
        info -> info.parent() == pid && info.commandLine().equals("sleep 1000")));
    return task;
  }

  @Test
  void theSameFieldsAreFilledAsByTheOriginalAndTheLimitsAreEqual() {
    assumeTrue(!Shim.UNIFIED, "needs a machine with cgroup v1");
    var seen = Differential.same(shim -> {
      try (var task = holding(shim)) {
        task.update("{\"pids\":{\"limit\":77},\"memory\":{\"limit\":67108864}}");
        Metrics m = metrics(task);
        var memory = m.getMemory();
        return List.of(m.getPids().getLimit(), m.getPids().getCurrent(), memory.getUsage().getLimit(),
            memory.getHierarchicalMemoryLimit(), memory.getRss() > 0, memory.getUsage().getUsage() > 0,
            memory.getPgFault() > 0, memory.getSwap().getLimit() > 0, m.getCpu().getUsage().getTotal() > 0,
            m.getCpu().getUsage().getPerCpuCount(), m.hasMemory(), m.hasBlkio(), m.hasPids(), m.hasCpu(),
            m.hasCgroupStats(), m.getNetworkCount(), m.getHugetlbCount());
      }
    });
    assertEquals(77L, seen.get(0));
  }

  @Test
  void onCgroupV2TooTheSameFieldsAreFilledAsByTheOriginal() {
    assumeTrue(Shim.UNIFIED, "needs a machine with cgroup v2: integration/cgroup2/run.sh has one");
    var seen = Differential.same(shim -> {
      try (var task = holding(shim)) {
        task.update("{\"pids\":{\"limit\":77},\"memory\":{\"limit\":67108864}}");
        var any = task.stats();
        assertEquals("io.containerd.cgroups.v2.Metrics", any.getTypeUrl());
        var m = io.loomshim.proto.cgroups2.Metrics.parseFrom(any.getValue());
        var memory = m.getMemory();
        return List.of(m.getPids().getLimit(), m.getPids().getCurrent(), memory.getUsageLimit(), memory.getSwapLimit(),
            memory.getSwapUsage(), memory.getUsage() > 0, memory.getAnon() > 0, memory.getPgfault() > 0,
            m.getCpu().getUsageUsec() > 0, m.hasPids(), m.hasCpu(), m.hasMemory(), m.hasRdma(), m.hasIo(),
            m.hasMemoryEvents(), m.getHugetlbCount());
      } catch (InvalidProtocolBufferException e) {
        throw new UncheckedIOException(e);
      }
    });
    assertEquals(77L, seen.get(0));
  }

  @Test
  void beforeAContainerExistsThereAreNoneAndAfterItsEndNoError() {
    try (var task = BED.shims().start(Shim.tested(), BED.shims().bundle(Names.id("none"), "true"))) {
      assertEquals("5 container not created: not found", failure(task::stats));
      task.create();
      task.start();
      task.await("");
      task.stats();
    }
  }

  @Test
  void ofAnEndedContainerWhoseCgroupSomebodyRemovedLittleIsToldOnV1AndNotFoundOnV2() throws Exception {
    try (var task = running(Shim.tested(), "sleep", "1000")) {
      List<String> cgroups = Files.readAllLines(Path.of("/proc/" + task.state("").getPid() + "/cgroup"));
      task.kill(9, "");
      task.await("");
      for (String line : cgroups) {
        String[] parts = line.split(":", 3);
        Path directory = Path.of("/sys/fs/cgroup", parts[1].replace("name=", ""), parts[2]);
        if (parts[2].endsWith(task.id())) {
          await().ignoreExceptions().until(() -> Files.deleteIfExists(directory) || !Files.exists(directory));
        }
      }
      if (Shim.UNIFIED) {
        assertEquals("5 cgroup does not exist: not found", failure(task::stats));
      } else {
        Metrics metrics = metrics(task);
        assertTrue(metrics.hasCpu());
        assertFalse(metrics.hasMemory() || metrics.hasPids() || metrics.hasBlkio() || metrics.hasMemoryOomControl());
      }
    }
  }

  @Test
  void ctrShowsMetrics() {
    String id = Names.id("ctrstats");
    BED.ctr().detached(Shim.tested(), id, "sleep", "1000");
    var result = BED.ctr().call("task", "metrics", id).ok();
    BED.ctr().end(id);
    assertTrue(result.text().contains("memory"), result.text());
  }
}
