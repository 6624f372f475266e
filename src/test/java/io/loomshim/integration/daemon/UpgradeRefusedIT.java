package io.loomshim.integration.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.HeldRunc;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.RecordEntry;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.TwoBuilds;
import io.loomshim.ttrpc.Redo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An {@code upgrade} that cannot be: it says why, and the daemon goes on as if nothing had been. */
final class UpgradeRefusedIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Map<String, String> SETTINGS = Map.of("take_over", "true");

  /** Of record/Format: the magic, then the version, then the checksum of both. */
  private static final int MAGIC_BYTES = 8;

  private static final int UNKNOWN_KIND = 60000;

  @BeforeAll
  static void ours() {
    Shim.assumeOurs("no other shim hands over");
  }

  /** Makes the header of the record say that it is of another version; the daemon goes on behind it. */
  private static void version(Path record, int version) throws IOException {
    byte[] header = new byte[MAGIC_BYTES + 2 * Integer.BYTES];
    System.arraycopy(Files.readAllBytes(record), 0, header, 0, MAGIC_BYTES);
    ByteBuffer.wrap(header).putInt(MAGIC_BYTES, version)
        .putInt(MAGIC_BYTES + Integer.BYTES, 0);
    ByteBuffer.wrap(header).putInt(MAGIC_BYTES + Integer.BYTES,
        RecordEntry.checksum(header, MAGIC_BYTES + Integer.BYTES));
    try (var file = Files.newByteChannel(record, StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(header));
    }
  }

  /** Asks for an upgrade that is refused, after which the daemon serves as before; what was said. */
  private static String refused(TwoBuilds builds, ShimClient task, String exec) {
    long daemon = builds.daemon();
    Exec.Result result = builds.upgrade();
    assertEquals(1, result.exit(), result.toString());
    assertEquals(daemon, builds.daemon());
    assertTrue(Proc.alive(daemon));
    assertEquals(daemon, task.connect().getShimPid());
    assertEquals("RUNNING", task.state("").getStatus().name());
    task.exec(exec, "sh", "-c", "exit 4");
    task.start(exec);
    assertEquals(4, task.await(exec).getExitStatus());
    task.delete(exec);
    Await.until("no next daemon is left", () -> Proc.all().values().stream()
        .noneMatch(process -> process.parent() == daemon && process.commandLine().contains("-stand-by")));
    String beginning = "daemon " + daemon + " (namespace " + builds.shims().namespace() + "): not handed over: ";
    assertTrue(result.text().startsWith(beginning), result.toString());
    return result.text().substring(beginning.length()).strip();
  }

  @Test
  void aRecordOfAnotherVersionIsRefusedByTheNextBuildAndTheDaemonGoesOn() throws Exception {
    try (var builds = new TwoBuilds(BED.rootfs(), SETTINGS); var task = builds.running("sleep", "1000")) {
      builds.second();
      Path record = builds.only().resolve("record");
      version(record, 77);
      assertEquals(record + " has version 77, and this build reads version 1. It goes on as it is until the last of its"
          + " containers has gone; new ones go to a daemon of the installed build", refused(builds, task, "first"));
      version(record, 1);
      builds.upgrade().ok();
      assertEquals("RUNNING", task.state("").getStatus().name());
    }
  }

  @Test
  void aKindOfValueThatTheNextBuildDoesNotKnowIsRefused() throws Exception {
    try (var builds = new TwoBuilds(BED.rootfs(), SETTINGS); var task = builds.running("sleep", "1000")) {
      builds.second();
      Path record = builds.only().resolve("record");
      RecordEntry.put(record, UNKNOWN_KIND, "k");
      String told = refused(builds, task, "first");
      assertTrue(told.startsWith(record + " has values of the kind " + UNKNOWN_KIND
          + ", which this build does not know. It goes on as it is"), told);
      RecordEntry.remove(record, UNKNOWN_KIND, "k");
      builds.upgrade().ok();
      assertEquals("RUNNING", task.state("").getStatus().name());
    }
  }

  @Test
  void aDaemonWithoutTakeOverIsToldWhatThatMeansAndDrains() throws Exception {
    try (var builds = new TwoBuilds(BED.rootfs(), Map.of()); var task = builds.running("sleep", "1000")) {
      assertTrue(builds.upgrade().ok().text().endsWith("is of the installed build and has these settings already\n"));
      builds.configure(Map.of("take_over", "true"));
      assertEquals("it was started without take_over. It goes on with the settings that it was started with",
          refused(builds, task, "first"));
      builds.second();
      assertEquals("it was started without take_over. It goes on as it is until the last of its containers has gone;"
          + " new ones go to a daemon of the installed build", refused(builds, task, "second"));
      long old = builds.daemon();
      try (var next = builds.running("sleep", "1000")) {
        assertNotEquals(old, next.connect().getShimPid());
      }
    }
  }

  @Test
  void aNextDaemonThatDoesNotStartIsNoHarm() throws Exception {
    try (var builds = new TwoBuilds(BED.rootfs(), SETTINGS); var task = builds.running("sleep", "1000")) {
      builds.configure(Map.of("java_options", "-Xmx1k"));
      String told = refused(builds, task, "first");
      assertTrue(told.startsWith("the next daemon did not come to say that it is ready; its words are in "), told);
      assertTrue(Files.readString(builds.only().resolve("daemon.log"))
          .contains("Error occurred during initialization of VM"));
    }
  }

  @Test
  void aCallThatDoesNotEndIsNamed() throws Exception {
    var held = new HeldRunc(BED.directory(), "create");
    try (var builds = new TwoBuilds(BED.rootfs(), SETTINGS); var task = builds.running("sleep", "1000");
        var late = builds.open("sleep", "1000")) {
      builds.second();
      var creation = late.creating(held.options());
      held.awaitHeld();
      String told = refused(builds, task, "first");
      assertTrue(told.startsWith("calls are at work: rpc/Create/" + late.id() + " #"), told);
      held.release();
      assertEquals("no error: ", creation.get(60, TimeUnit.SECONDS));
      builds.upgrade().ok();
      assertEquals("RUNNING", task.state("").getStatus().name());
    }
  }

  /** The next daemon is ready, and the present one waits for a call: then it is killed. */
  private static void killed(TwoBuilds builds, ShimClient late, boolean withTheNext) throws Exception {
    var slowly = FaultyRunc.options(BED.directory(), "create", "sleep 4711\nexec runc \"$@\"");
    builds.second();
    long before = builds.daemon();
    var creation = late.creating(slowly);
    Await.until("runc runs", () -> Proc.all().values().stream()
        .anyMatch(process -> process.commandLine().contains("sleep 4711")));
    var upgrade = builds.beginUpgrade();
    Await.until("the next daemon is there", () -> next(before) > 0);
    long next = next(before);
    Await.until("it has said that it is ready", () -> Proc.file(next, 1).equals("/dev/null"));
    if (withTheNext) {
      Proc.signal(next, "STOP");
    }
    Proc.kill(before);
    if (withTheNext) {
      Proc.kill(next);
    }
    upgrade.await(Ctr.LIMIT);
    assertEquals("14 " + Redo.IN_DOUBT, creation.get(60, TimeUnit.SECONDS));
    assertEquals(!withTheNext, builds.daemon() == next);
  }

  private static long next(long before) {
    return Proc.all().values().stream()
        .filter(process -> process.parent() == before && process.commandLine().contains("-stand-by"))
        .mapToLong(Proc.Info::pid).findFirst().orElse(0);
  }

  @Test
  void aDaemonThatIsKilledMeanwhileIsTakenOverByTheNextBuild() throws Exception {
    try (var builds = new TwoBuilds(BED.rootfs(), SETTINGS); var task = builds.running("sleep", "1000");
        var late = builds.open("sleep", "1000")) {
      killed(builds, late, false);
      assertTrue(builds.commandLine().contains("/" + builds.build() + "/loomshim.jar"), builds.commandLine());
      assertEquals("RUNNING", task.state("").getStatus().name());
    }
  }

  @Test
  void whenBothAreKilledTheHolderStartsTheBuildBefore() throws Exception {
    try (var builds = new TwoBuilds(BED.rootfs(), SETTINGS); var task = builds.running("sleep", "1000");
        var late = builds.open("sleep", "1000")) {
      String first = builds.build();
      killed(builds, late, true);
      assertTrue(builds.commandLine().contains("/" + first + "/loomshim.jar"), builds.commandLine());
      assertEquals("RUNNING", task.state("").getStatus().name());
      task.exec("late", "sh", "-c", "exit 3");
      task.start("late");
      assertEquals(3, task.await("late").getExitStatus());
    }
  }
}
