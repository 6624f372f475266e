package io.loomshim.integration.faults;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Inspect;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Something has run out before the daemon starts, or in the place that a file is to be written to. */
@Timeout(120)
final class ScarcityIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final int PAGE = 4096;
  /** What our part of a bundle is made of, and what must be whole or not there. */
  private static final List<String> OURS = List.of("loom.env", "address", "shim.pid", "loom.run", "options.json",
      "runtime", "loom.runc", ".e.process.json");
  private static final int SPEC_BYTES = 60_000;

  private static void shell(String line) {
    Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), List.of("sh", "-c", line))
        .await(Ctr.LIMIT).ok();
  }

  /** What runs afterwards may have none of {@code resource}: in a user namespace, which has limits of its own. */
  private static List<String> without(String resource) {
    return List.of("unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
        "echo 0 > /proc/sys/user/" + resource + "; exec \"$0\" \"$@\"");
  }

  /** A whole life; what the shim logs for this container goes to {@code log}. */
  private static List<String> life(Shim shim, Shims shims, StringBuilder log) {
    var seen = new ArrayList<String>();
    try (var task = shims.start(shim, shims.bundle(Names.id("scarce"), "sleep", "1000"))) {
      seen.add(failure(() -> task.create()));
      seen.add(failure(() -> task.start()));
      task.exec("e", "sh", "-c", "exit 3");
      seen.add(failure(() -> task.start("e")));
      seen.add("exec " + task.await("e").getExitStatus());
      seen.add(task.state("").getStatus().toString());
      seen.add("exit " + task.end());
      log.append(task.bundle().log());
    }
    return seen;
  }

  @ParameterizedTest(name = "with {0} of zero containers run")
  @ValueSource(strings = {"max_inotify_instances", "max_inotify_watches"})
  void withoutInotifyContainersRun(String resource) throws IOException {
    Path directory = Scratch.directory("inotify");
    try (var shims = new Shims(directory, BED.rootfs(), without(resource))) {
      var log = new StringBuilder();
      var seen = Differential.same(shim -> life(shim, shims, log));
      assertEquals(List.of("no error: ", "no error: ", "no error: ", "exec 3", "RUNNING", "exit 137"), seen);
      if (SHIM.ours()) {
        removalsAreNoticed(shims, log);
      }
      shims.remove();
    }
  }

  private static void removalsAreNoticed(Shims shims, StringBuilder log) throws IOException {
    var bundle = shims.bundle(Names.id("removed"), "sleep", "1000");
    try (var task = shims.start(SHIM, bundle)) {
      task.create();
      task.start();
      var report = Inspect.report(task.shimPid());
      assertEquals(List.of("inotify watch"),
          Inspect.list(report, "without").stream().map(row -> row.get("what").toString()).toList());
      shims.delete(SHIM, bundle).ok();
      Await.until("the daemon has noticed", () -> failure(() -> task.state("")).startsWith("5 "));
      log.append(bundle.log()).append(Files.readString(task.socket().resolveSibling("daemon.log")));
      assertEquals(1, log.toString().lines().filter(line -> line.contains("no inotify watch")).count(), log.toString());
    }
  }

  /** A file system of 256 KB; {@code work} may fill it. */
  private interface OnDisk {
    void run(Path disk) throws IOException;
  }

  private static void onSmallDisk(OnDisk work) {
    Path directory = Scratch.directory("small");
    try {
      Path disk = Files.createDirectory(directory.resolve("d"));
      shell("mount -t tmpfs -o size=256k,mode=700 small " + disk);
      try {
        work.run(disk);
      } finally {
        shell("umount -l " + disk);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Scratch.remove(directory);
  }

  /** Leaves room for {@code pages} pages. */
  private static void leave(Path disk, int pages) {
    shell("rm -f " + disk + "/filler; cat /dev/zero > " + disk + "/filler 2> /dev/null || :; truncate -s -"
        + pages * PAGE + " " + disk + "/filler");
  }

  private static void free(Path disk) {
    disk.resolve("filler").toFile().delete();
  }

  private static Bundle bundleOn(Path disk, Shims shims) {
    String id = Names.id("full");
    return Bundle.create(disk, id,
        Bundle.config(BED.rootfs().toString(), "/" + shims.namespace() + "/" + id, "sleep", "1000"));
  }

  /** Our files in a bundle and drafts of them, with their contents. */
  private static Map<String, String> files(Bundle bundle) {
    var found = new TreeMap<String, String>();
    String[] names = bundle.path().toFile().list();
    for (String name : names == null ? new String[0] : names) {
      try {
        if (OURS.contains(name) || name.endsWith(".draft") || name.endsWith(".pid")) {
          found.put(name, Files.readString(bundle.path().resolve(name)));
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return found;
  }

  /** The error of a call in a full bundle names a file there and says that there is no room. */
  private static void assertTold(String told, Bundle bundle) {
    assertTrue(told.contains(bundle.path().toString()) && told.toLowerCase(Locale.ROOT)
        .contains("no space left on device"), told);
  }

  @Test
  void aStartInAFullBundleNamesTheFileAndLeavesNothing() {
    Shim.assumeOurs("what the Go shim leaves is not our business");
    onSmallDisk(disk -> {
      var bundle = bundleOn(disk, BED.shims());
      var told = new TreeSet<String>();
      for (int pages = 0; pages < 5; pages++) {
        leave(disk, pages);
        String error = assertThrows(AssertionError.class, () -> BED.shims().start(SHIM, bundle)).getMessage();
        assertTold(error, bundle);
        assertEquals(Map.of(), files(bundle));
        told.add(error.replaceAll("(?s).*cannot write \\S+/(\\S+): No space left.*", "$1"));
      }
      assertEquals(new TreeSet<>(List.of("loom.env", "address", "shim.pid", "loom.run")), told);
      free(disk);
      try (var task = BED.shims().start(SHIM, bundle)) {
        task.create();
      }
    });
  }

  @Test
  void aCreateAndAnExecAtEachRoomThatIsLeftWorkOrNameTheFileAndLeaveNothingHalfWritten() {
    Shim.assumeOurs("what the Go shim leaves is not our business");
    onSmallDisk(disk -> {
      var told = new TreeSet<String>();
      Map<String, String> whole = Map.of();
      for (int pages = 12; pages >= 0; pages--) {
        try (var task = BED.shims().start(SHIM, bundleOn(disk, BED.shims()))) {
          leave(disk, pages);
          String create = failure(() -> task.create());
          whole = whole.isEmpty() ? files(task.bundle()) : whole;
          check(create, task, whole, told);
          free(disk);
          if (!create.startsWith("no error")) {
            task.create();
          }
          task.start();
          task.exec("e", "sh", "-c", "exit 3");
          leave(disk, Math.min(pages, 4));
          String exec = failure(() -> task.start("e"));
          check(exec, task, whole, told);
          free(disk);
          if (!exec.startsWith("no error")) {
            assertEquals("no error: ", failure(() -> task.start("e")));
          }
          assertEquals(3, task.await("e").getExitStatus());
        }
      }
      assertTrue(told.containsAll(List.of("options.json", "loom.runc", ".e.process.json")), told.toString());
    });
  }

  private static void check(String outcome, ShimClient task, Map<String, String> whole, TreeSet<String> told) {
    if (!outcome.startsWith("no error")) {
      assertTold(outcome, task.bundle());
      told.add(outcome.replaceAll("(?s)8 cannot write \\S+/(\\S+): .*", "$1"));
    }
    files(task.bundle()).forEach((name, content) -> {
      assertTrue(whole.containsKey(name) || name.equals("e.pid"), name + " after " + outcome);
      assertTrue(content.length() >= whole.getOrDefault(name, "").length() - 2, () -> name + " is " + content);
    });
  }

  /** Of the spec of an exec that has failed for want of room. */
  private static List<String> big(Shim shim) {
    var seen = new ArrayList<String>();
    onSmallDisk(disk -> {
      try (var task = BED.shims().start(shim, bundleOn(disk, BED.shims()))) {
        task.create();
        task.start();
        task.exec("e", "sh", "-c", ": " + "x".repeat(SPEC_BYTES));
        leave(disk, 10);
        String told = failure(() -> task.start("e"));
        if (!told.startsWith("no error")) {
          assertTold(told, task.bundle());
        }
        seen.addAll(files(task.bundle()).keySet().stream().filter(name -> name.contains("process")).toList());
        free(disk);
        if (!told.startsWith("no error")) {
          task.start("e");
        }
        seen.add("exec " + task.await("e").getExitStatus());
      }
    });
    return seen;
  }

  @Test
  void ofTheSpecOfAnExecThatDoesNotFitNothingStays() {
    assertEquals(List.of("exec 0"), Differential.same(ScarcityIT::big));
  }

  @Test
  void aDaemonWhoseRecordDoesNotFitSaysSoAndLeavesNothing() {
    Shim.assumeOurs("only ours has one");
    onSmallDisk(disk -> {
      try (var own = new OwnDaemon(BED.rootfs(), Map.of("run_dir", disk.toString()))) {
        var bundle = own.shims().bundle(Names.id("record"), "true");
        leave(disk, 0);
        String told = assertThrows(AssertionError.class, () -> own.open(bundle)).getMessage();
        assertTrue(told.matches("(?s).*cannot write " + disk + "/[^/]+/daemon: No space left on device.*"), told);
        try (var files = Files.walk(disk)) {
          assertEquals(List.of("daemon.log", "filler", "lock"),
              files.filter(Files::isRegularFile).map(file -> file.getFileName().toString()).sorted().toList());
        }
        free(disk);
        try (var task = own.open(bundle)) {
          task.create();
        }
      }
    });
  }
}
