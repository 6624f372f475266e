package io.loomshim.integration.faults;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import io.loomshim.integration.harness.Vitals;
import io.loomshim.proto.runc.Options;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A daemon that has run out of something: calls fail and say so, containers that run live on, their ends are told, and
 * everything works again once there is enough of it.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(300)
final class ExhaustionIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final boolean LONG = Boolean.getBoolean("loomshim.long");
  /** More descriptors than a container's whole life takes. */
  private static final int DESCRIPTORS = 32;
  private static final int DESCRIPTORS_STEP = LONG ? 1 : 3;
  /** More processes and threads than runc takes. */
  private static final int PROCESSES = 24;
  private static final int PROCESSES_STEP = LONG ? 1 : 4;
  /** Longer than the JVM keeps a carrier that has nothing to do. */
  private static final Duration IDLE = Duration.ofSeconds(36);
  private static final String EXHAUSTED = "8 ";
  private static final String NOT_FOUND = "5 ";

  /** Has nothing to do while the other tests run. */
  private static OwnDaemon idle;
  private static ShimClient idleTask;
  private static Instant idleSince;

  @BeforeAll
  static void begin() {
    Shim.assumeOurs("it is about our daemon");
    idle = new OwnDaemon(BED.rootfs());
    idleTask = idle.running("sleep", "100000");
    assertLives(idle);
    idleSince = Instant.now();
  }

  @AfterAll
  static void end() {
    if (idleTask != null) {
      idleTask.close();
      idleTask = null;
    }
    if (idle != null) {
      idle.close();
      idle = null;
    }
  }

  /** What goes wrong in a whole life of a container while something is short; the names of the calls and the errors. */
  private static List<String> life(ShimClient task) {
    var failures = new ArrayList<String>();
    if (!went("Create", failures, () -> task.create())) {
      return failures;
    }
    if (went("Start", failures, () -> task.start()) && went("Exec", failures, () -> task.exec("e", "true"))
        && went("Start of an exec", failures, () -> task.start("e"))) {
      assertEquals(0, task.await("e").getExitStatus());
      went("Delete of an exec", failures, () -> task.delete("e"));
    }
    // these two need nothing, so they always work
    task.kill(ShimClient.KILL, "");
    assertEquals(137, task.await("").getExitStatus());
    went("Delete", failures, () -> task.delete(""));
    return failures;
  }

  /** A client that the daemon has accepted, which would take a descriptor of those that are counted. */
  private static ShimClient connected(OwnDaemon own) {
    var task = own.open("sleep", "1000");
    assertTrue(failure(() -> task.state("")).startsWith(NOT_FOUND));
    return task;
  }

  private static void assertLives(OwnDaemon own) {
    try (var task = own.open("sleep", "1000")) {
      assertEquals(List.of(), life(task));
    }
  }

  private static boolean went(String what, List<String> failures, Runnable call) {
    String seen = failure(call);
    if (!seen.startsWith("no error")) {
      failures.add(what + ": " + seen);
    }
    return seen.startsWith("no error");
  }

  /** After a failed Create nothing of the container is left soon, without anybody's help, and its id is free. */
  private static void assertGone(OwnDaemon own, ShimClient task) {
    Path state = Names.RUNC_ROOT.resolve(own.shims().namespace()).resolve(task.id());
    Await.until("runc has forgotten " + task.id(), () -> !Files.exists(state));
    Await.until("no child of " + own.pid() + " is left of it", () -> children(own.pid()) == 1);
    var told = new AtomicReference<String>();
    boolean free = Await.within(Await.LIMIT, () -> {
      told.set(failure(() -> task.create()));
      return told.get().startsWith("no error");
    });
    assertTrue(free, () -> "the id is not free: " + told);
    task.kill(ShimClient.KILL, "");
    task.await("");
    task.delete("");
  }

  private static long children(long pid) {
    return Proc.all().values().stream().filter(info -> info.parent() == pid).count();
  }

  private static void shell(String line) {
    Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), List.of("sh", "-c", line))
        .await(Ctr.LIMIT).ok();
  }

  private interface Change {
    void run() throws IOException;
  }

  /** The failures of a whole life between {@code take}, which makes something short, and {@code give}. */
  private static List<String> shortLife(OwnDaemon own, ShimClient steady, Change take, Change give)
      throws IOException {
    try (var task = connected(own)) {
      List<String> failures;
      take.run();
      try {
        failures = life(task);
        assertEquals("RUNNING", steady.state("").getStatus().toString());
      } finally {
        give.run();
      }
      if (!failures.isEmpty() && failures.getFirst().startsWith("Create")) {
        assertGone(own, task);
      }
      return failures;
    }
  }

  @Test
  void withoutDescriptorsCallsSaySoAndOfAFailedCreateNothingIsLeft() throws IOException {
    var seen = new TreeSet<String>();
    int failed = 0;
    int went = 0;
    try (var own = new OwnDaemon(BED.rootfs()); var steady = own.running("sleep", "100000")) {
      assertLives(own); // loads what is loaded once
      for (int spare = 0; spare <= DESCRIPTORS; spare += DESCRIPTORS_STEP) {
        int left = spare;
        var failures = shortLife(own, steady, () -> limit(own.pid(), left),
            () -> shell("prlimit --pid " + own.pid() + " --nofile=20000:"));
        seen.addAll(failures);
        failed += failures.isEmpty() ? 0 : 1;
        went += failures.isEmpty() ? 1 : 0;
      }
      assertLives(own);
    }
    System.out.println("without descriptors: " + String.join("\n  ", seen));
    assertTrue(failed > 2 && went > 0, failed + " lives failed, " + went + " went well");
    for (String failure : seen) {
      assertTrue(failure.contains(": " + EXHAUSTED) && failure.contains("oo many open files"), failure);
    }
  }

  /** Leaves the process {@code spare} numbers for new descriptors. */
  private static void limit(long pid, int spare) {
    var used = new HashSet<Integer>();
    Proc.files(pid).forEach(file -> used.add(Integer.parseInt(file.substring(0, file.indexOf(' ')))));
    int limit = 0;
    for (int free = 0; free < spare || used.contains(limit); limit++) {
      free += used.contains(limit) ? 0 : 1;
    }
    shell("prlimit --pid " + pid + " --nofile=" + limit + ":");
  }

  @Test
  void withoutProcessesCallsFailContainersLiveOnAndAllIsWellAfterwards() throws IOException {
    Path group = Path.of("/sys/fs/cgroup", Shim.UNIFIED ? "" : "pids", Names.namespace());
    Files.createDirectory(group);
    var seen = new TreeSet<String>();
    int failed = 0;
    int went = 0;
    try {
      assumeTrue(Files.exists(group.resolve("pids.max")), "no pids controller here: needs one that may be used");
      try (var own = new OwnDaemon(BED.rootfs()); var steady = own.running("sleep", "100000")) {
        assertLives(own);
        Files.writeString(group.resolve("cgroup.procs"), Long.toString(own.pid()));
        for (int spare = 0; spare <= PROCESSES; spare += PROCESSES_STEP) {
          int left = spare;
          var failures = shortLife(own, steady, () -> {
            int now = Integer.parseInt(Files.readString(group.resolve("pids.current")).strip());
            Files.writeString(group.resolve("pids.max"), Integer.toString(now + left));
          }, () -> Files.writeString(group.resolve("pids.max"), "max"));
          seen.addAll(failures);
          failed += failures.isEmpty() ? 0 : 1;
          went += failures.isEmpty() ? 1 : 0;
        }
        assertLives(own);
      }
    } finally {
      Await.until("the group is empty", () -> group.toFile().delete() || !Files.exists(group));
    }
    System.out.println("without processes: " + String.join("\n  ", seen));
    assertTrue(failed > 2 && went > 0, failed + " lives failed, " + went + " went well");
  }

  /** The JVM would end the threads that carry all others after 30 s, and could not make new ones. */
  @Test
  @Order(Integer.MAX_VALUE)
  void aDaemonThatWasIdleForLongServesWithoutProcessesToo() throws IOException {
    Path group = Path.of("/sys/fs/cgroup", Shim.UNIFIED ? "" : "pids", Names.namespace());
    Files.createDirectory(group);
    try {
      assumeTrue(Files.exists(group.resolve("pids.max")), "no pids controller here: needs one that may be used");
      var rest = IDLE.minus(Duration.between(idleSince, Instant.now()));
      assertFalse(Await.within(rest.isNegative() ? Duration.ofMillis(100) : rest, () -> Proc.threads(idle.pid())
          .stream().noneMatch(name -> Proc.named(name, "ForkJoinPool"))), "the JVM has ended all carriers");
      Files.writeString(group.resolve("cgroup.procs"), Long.toString(idle.pid()));
      Files.writeString(group.resolve("pids.max"), Files.readString(group.resolve("pids.current")).strip());
      for (int i = 0; i < 100; i++) {
        assertEquals("RUNNING", idleTask.state("").getStatus().toString());
        assertEquals(1, idleTask.pids().getProcessesCount());
      }
      idleTask.kill(ShimClient.KILL, "");
      assertEquals(137, idleTask.await("").getExitStatus());
      Files.writeString(group.resolve("pids.max"), "max");
      assertLives(idle);
    } finally {
      end();
      Await.until("the group is empty", () -> group.toFile().delete() || !Files.exists(group));
    }
  }

  /** A file system of 256 KB and 64 inodes; {@code work} may fill it. */
  private interface OnDisk {
    void run(Path disk) throws IOException;
  }

  private static void onSmallDisk(Path directory, OnDisk work) throws IOException {
    Path disk = Files.createDirectory(directory.resolve("d"));
    shell("mount -t tmpfs -o size=256k,nr_inodes=64,mode=700 small " + disk);
    try {
      work.run(disk);
    } finally {
      shell("umount -l " + disk);
    }
  }

  private static void fill(Path disk) {
    shell("cat /dev/zero > " + disk + "/filler 2> /dev/null || :");
  }

  private static void free(Path disk) {
    disk.resolve("filler").toFile().delete();
  }

  @Test
  void onAFullDiskABundleTakesNoContainerAndNoExecAndARunningOneLivesOn() throws IOException {
    try (var own = new OwnDaemon(BED.rootfs()); var steady = own.running("sleep", "100000")) {
      onSmallDisk(own.directory(), disk -> {
        String id = Names.id("disk");
        String cgroup = "/" + own.shims().namespace() + "/" + id;
        String config = Bundle.config(BED.rootfs().toString(), cgroup, "sleep", "9999");
        try (var task = own.open(Bundle.create(disk, id, config))) {
          fill(disk);
          String create = failure(() -> task.create());
          assertTrue(create.startsWith(EXHAUSTED) && create.contains("o space left on device"), create);
          free(disk);
          task.create();
          task.start();
          task.exec("e", "true");
          fill(disk);
          String exec = failure(() -> task.start("e"));
          assertTrue(exec.startsWith(EXHAUSTED) && exec.contains("o space left on device"), exec);
          assertEquals("RUNNING", task.state("").getStatus().toString());
          free(disk);
          task.start("e");
          assertEquals(0, task.await("e").getExitStatus());
          fill(disk);
          task.kill(ShimClient.KILL, "");
          assertEquals(137, task.await("").getExitStatus());
          assertEquals(137, task.delete("").getExitStatus());
          free(disk);
        }
      });
      assertEquals("RUNNING", steady.state("").getStatus().toString());
    }
  }

  @Test
  void withAFullRunDirectoryNothingNewStartsAndWhatRunsEndsInOrder() throws IOException {
    Path directory = Scratch.directory("f");
    onSmallDisk(directory, disk -> {
      try (var own = new OwnDaemon(BED.rootfs(), Map.of("run_dir", disk.toString()))) {
        var bundle = own.shims().bundle(Names.id("run"), "sleep", "100000");
        try (var task = own.open(bundle)) {
          task.create();
          task.start();
          fill(disk);
          // an empty file takes an inode, and they have an end
          Path leases = own.daemon().directory().resolve("leases");
          shell("i=0; while true > " + leases + "/filler$i; do i=$((i + 1)); done 2> /dev/null || :");
          AssertionError refused;
          try (var other = own.shims().bundle(Names.id("run"), "true")) {
            refused = assertThrows(AssertionError.class, () -> own.open(other));
          }
          assertTrue(refused.getMessage().contains("cannot write"), refused.getMessage());
          assertEquals("RUNNING", task.state("").getStatus().toString());
          task.kill(ShimClient.KILL, "");
          assertEquals(137, task.await("").getExitStatus());
          assertEquals(137, task.delete("").getExitStatus());
          assertEquals(0, own.shims().delete(Shim.tested(), bundle).exit());
          shell("rm -f " + own.daemon().directory() + "/leases/filler*");
          free(disk);
        }
        assertLives(own);
      }
    });
    Scratch.remove(directory);
  }

  /** Says so much in its log that a few of it fill a small heap. */
  private static Path talkative(Path directory) {
    try {
      Path script = directory.resolve("talkative");
      Files.writeString(script, """
          #!/bin/sh
          while [ $# -gt 0 ]; do
            case $1 in
              --log) log=$2 ;;
            esac
            shift
          done
          { printf '{"level":"error","msg":"'; head -c 1000000 /dev/zero | tr '\\\\0' x; printf '"}\\n'; } >> "$log"
          exit 1
          """.replace("\\\\0", "\\0"));
      assertTrue(script.toFile().setExecutable(true));
      return script;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aRealOutOfMemoryErrorCostsItsCallAndNeitherAContainerNorAnExit() throws Exception {
    int creates = LONG ? 200 : 24;
    var settings = Map.of("java_options", "-Xmx12m");
    try (var own = new OwnDaemon(BED.rootfs(), settings); var steady = own.running("sleep", "100000")) {
      assertLives(own);
      var options = Options.newBuilder().setBinaryName(talkative(own.directory()).toString()).build();
      var victims = List.of(own.running("sleep", "100000"), own.running("sleep", "100000"));
      var tasks = new ArrayList<ShimClient>();
      for (int i = 0; i < creates; i++) {
        tasks.add(own.open("true"));
      }
      var before = Vitals.of(own.pid());
      var seen = new java.util.concurrent.ConcurrentLinkedQueue<String>();
      var calls = new ArrayList<Thread>();
      for (var task : tasks) {
        calls.add(Thread.ofVirtual().start(() -> {
          try {
            seen.add(failure(() -> task.create(r -> r.setOptions(Shims.any("containerd.runc.v1.Options", options)))));
          } catch (UncheckedIOException e) {
            seen.add("the connection is lost: " + e.getCause());
          }
        }));
      }
      victims.getFirst().kill(ShimClient.KILL, "");
      for (Thread call : calls) {
        call.join();
      }
      assertEquals(creates, seen.size());
      assertTrue(seen.stream().allMatch(text -> text.startsWith("2 ") || text.startsWith(EXHAUSTED)), codes(seen));
      assertTrue(seen.stream().anyMatch(text -> text.startsWith(EXHAUSTED)), () -> codes(seen));
      assertEquals(137, victims.getFirst().await("").getExitStatus());
      victims.getLast().kill(ShimClient.KILL, "");
      assertEquals(137, victims.getLast().await("").getExitStatus());
      for (var victim : victims) {
        own.shims().sink().until(own.shims().namespace(), victim.id(), "/tasks/exit");
        victim.close();
      }
      tasks.forEach(ShimClient::close);
      before.assertKept();
      assertLives(own);
      assertEquals("RUNNING", steady.state("").getStatus().toString());
      assertFalse(steady.disconnected());
    }
  }

  private static String codes(Iterable<String> seen) {
    var codes = new TreeSet<String>();
    seen.forEach(text -> codes.add(text.substring(0, Math.min(120, text.length()))));
    return codes.toString();
  }
}
