package io.loomshim.integration.checkpoint;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import io.loomshim.integration.checkpoint.Counter.Kind;
import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Criu;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.EventSink;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Rootfs;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import io.loomshim.proto.linuxrunc.CreateOptions;
import io.loomshim.proto.runc.CheckpointOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Options of checkpoints and restores, and what becomes of those that fail. */
final class CheckpointOptionsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  /** Two processes with a connection between them, once there is a network and the first one listens (on 0x1092). */
  private static final String[] CONNECTED = {"sh", "-c", "sleep 1000 | nc -l -p 4242 & "
      + "until ip addr show lo | grep -q 127.0.0.1 && grep -q :1092 /proc/net/tcp /proc/net/tcp6; do sleep 0.1; done; "
      + "sleep 1000 | nc 127.0.0.1 4242"};
  private static final CheckpointOptions EXIT = CheckpointOptions.newBuilder().setExit(true).build();
  private static final CheckpointOptions STAY = CheckpointOptions.getDefaultInstance();

  @BeforeAll
  static void criu() {
    Criu.assumeItWorks();
  }

  private static Path image() {
    return Scratch.directory("image").resolve("i");
  }

  private static ShimClient opened(Shim shim, Optional<Any> options, String... command) {
    return BED.shims().start(shim, BED.shims().bundle(Names.id("ckpt"), command), options);
  }

  private static ShimClient running(Shim shim, String... command) {
    var task = opened(shim, Optional.empty(), command);
    try {
      task.create();
      task.start();
      return task;
    } catch (RuntimeException e) {
      task.close();
      throw e;
    }
  }

  /** Removes a task that was never started; the Go shim does not answer a Wait for it any more. */
  private static void remove(Shim shim, ShimClient task) {
    task.delete("");
    task.shutdown();
    if (!shim.ours()) {
      Await.until("the shim ends", task::disconnected);
    }
  }

  /** Newer versions of the Go shim tell the status of runc, too. */
  private static String plain(String error, ShimClient task) {
    return Differential.plain(error, task.id()).replace(" exit status 1: ", " ").replaceAll("time=\\S+", "T");
  }

  /** The same container restored from {@code image}, not started. */
  private static ShimClient toRestore(Shim shim, Path image, Optional<Any> options, String... command) {
    var task = opened(shim, options, command);
    assertEquals(0, task.create(r -> {
      options.ifPresent(r::setOptions);
      return r.setCheckpoint(image.toString());
    }));
    return task;
  }

  @Test
  void theOriginalGoesOnUnlessItIsToExit() {
    Differential.same(shim -> {
      Path image = image();
      try (var original = Counter.started(BED, shim, Kind.NOTHING).counts(2)) {
        original.task().checkpoint(image, STAY);
        original.counts(2);
        assertEquals("RUNNING", original.task().state("").getStatus().toString());
        try (var copy = Counter.restored(BED, shim, Kind.NOTHING, image).counts(2)) {
          original.counts(2);
          assertTrue(copy.task().state("").getPid() != original.task().state("").getPid());
        }
        // saved again over the first image
        original.task().checkpoint(image, EXIT);
        return original.task().await("").getExitStatus();
      } finally {
        Scratch.remove(image.getParent());
      }
    });
  }

  @Test
  void aPausedContainerIsSavedAsWithTheOriginal() {
    Differential.same(shim -> {
      Path image = image();
      try (var task = running(shim, "sleep", "1000")) {
        task.pause();
        var seen = List.of(plain(failure(() -> task.checkpoint(image, STAY)), task),
            task.state("").getStatus().toString());
        failure(task::resume);
        return seen;
      } finally {
        Scratch.remove(image.getParent());
      }
    });
  }

  @Test
  void inStatesWithoutProcessesACheckpointIsRefused() {
    var errors = Differential.same(shim -> {
      Path image = image();
      var seen = new ArrayList<String>();
      try (var task = opened(shim, Optional.empty(), "true")) {
        task.create();
        seen.add(failure(() -> task.checkpoint(image, STAY)));
        task.start();
        task.await("");
        seen.add(failure(() -> task.checkpoint(image, STAY)));
      }
      try (var task = toRestore(shim, image, Optional.empty(), "true")) {
        seen.add(task.state("").getStatus() + " " + task.state("").getPid());
        seen.add(failure(() -> task.checkpoint(image, STAY)));
        seen.add(failure(() -> task.exec("x", "true")));
        seen.add(failure(task::pause));
        seen.add(failure(task::resume));
        remove(shim, task);
      }
      Scratch.remove(image.getParent());
      return seen;
    });
    assertEquals(List.of("2 cannot checkpoint a task in created state", "2 cannot checkpoint a stopped container",
        "CREATED 0", "2 cannot checkpoint a task in created state"), errors.subList(0, 4));
  }

  /** runc finds criu through PATH. */
  @Test
  void withoutCriuTheErrorSaysSoAndTheContainerGoesOn() {
    String error = Differential.same(shim -> {
      Path image = image();
      var options = FaultyRunc.options(BED.directory(), "checkpoint", "PATH=/nonexistent exec /usr/sbin/runc \"$@\"");
      try (var task = opened(shim, options, "sleep", "1000")) {
        task.create(r -> r.setOptions(options.get()));
        task.start();
        String seen = plain(failure(() -> task.checkpoint(image, EXIT)), task);
        assertEquals("RUNNING", task.state("").getStatus().toString());
        // the Go shim names a log that does not exist
        assertEquals(!shim.ours(), seen.contains(" path= "), seen);
        return seen.replaceAll("faulty-runc-\\d+", "runc").replaceAll(" path= .*| \\(CRIU has written.*", "");
      } finally {
        Scratch.remove(image.getParent());
      }
    });
    assertTrue(error.startsWith("2 ") && error.contains("criu"), error);
  }

  @Test
  void whatCriuCannotSaveIsToldWithThePlaceOfItsLog() {
    String error = Differential.same(shim -> {
      Path image = image();
      try (var task = running(shim, CONNECTED)) {
        connect(task);
        String seen = plain(failure(() -> task.checkpoint(image, EXIT)), task);
        assertTrue(log(task).contains("tcp-established"));
        assertFalse(Files.exists(task.bundle().path().resolve("work/criu-work")));
        assertFalse(Files.exists(task.bundle().path().resolve("criu.conf")));
        assertEquals("RUNNING", task.state("").getStatus().toString());
        return seen;
      } finally {
        Scratch.remove(image.getParent());
      }
    });
    assertTrue(error.startsWith("2 ") && error.endsWith(" path= BASE/direct/ID/criu-dump.log"), error);
  }

  private static String log(ShimClient task) {
    try {
      return Files.readString(task.bundle().path().resolve("criu-dump.log"));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Its network is its own, so the loopback device must be switched on first. */
  private static void connect(ShimClient task) {
    Exec.start(Scratch.BASE, new Exec.Setting(Scratch.BASE, Map.of()), List.of("nsenter", "--net", "--target",
        Long.toString(task.state("").getPid()), Rootfs.BUSYBOX.toString(), "ip", "link", "set", "lo", "up"))
        .await(Ctr.LIMIT).ok();
    awaitConnection(task);
  }

  private static void awaitConnection(ShimClient task) {
    long pid = task.state("").getPid();
    Await.until("both are connected", () -> established(pid, "tcp") + established(pid, "tcp6") == 2);
  }

  private static long established(long pid, String table) {
    try {
      return Files.readAllLines(Path.of("/proc/" + pid + "/net/" + table)).stream()
          .filter(line -> line.trim().split("\\s+")[3].equals("01")).count();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void connectionsAreSavedWhenThatIsAskedFor() {
    Differential.same(shim -> {
      Path image = image();
      try (var task = running(shim, CONNECTED)) {
        connect(task);
        var tcp = EXIT.toBuilder().setOpenTcp(true).build();
        String refused = plain(failure(() -> task.checkpoint(image, tcp)), task);
        if (!refused.startsWith("no error")) {
          // CRIU 4.1 asks Linux 6.16 and newer for what sockets other than Unix sockets have no more
          assertFalse(log(task).contains("tcp-established"));
          return refused;
        }
        task.await("");
      }
      try (var task = toRestore(shim, image, Optional.empty(), CONNECTED)) {
        String seen = plain(failure(task::start), task);
        if (seen.startsWith("no error")) {
          awaitConnection(task);
          return seen + task.end();
        }
        remove(shim, task);
        return seen;
      } finally {
        Scratch.remove(image.getParent());
      }
    });
  }

  @Test
  void criuWorksWhereItIsToldToAndItsLogStaysThere() throws IOException {
    Path image = image();
    Path work = Scratch.directory("work");
    try (var task = running(SHIM, "sleep", "1000")) {
      task.checkpoint(image, EXIT.toBuilder().setWorkPath(work.toString()).build());
      assertTrue(Files.exists(work.resolve("dump.log")));
      task.await("");
    }
    Path restoreWork = Scratch.directory("work");
    var options = Optional.of(Shims.any("containerd.linux.runc.CreateOptions", CreateOptions.newBuilder()
        .setCriuImagePath(image.toString()).setCriuWorkPath(restoreWork.toString()).build()));
    Shim.assumeOurs("the Go shims reject containerd.linux.runc.CreateOptions");
    try (var task = opened(SHIM, options, "sleep", "1000")) {
      task.create(r -> r.setOptions(options.get()));
      task.start();
      assertTrue(Files.exists(restoreWork.resolve("restore.log")));
      assertEquals(137, task.end());
    }
    List.of(image.getParent(), work, restoreWork).forEach(Scratch::remove);
  }

  @Test
  void anImageThatIsNotThereGivesTheErrorOfRuncAtStart() {
    String error = Differential.same(shim -> {
      Path image = image();
      try (var task = toRestore(shim, image, Optional.empty(), "true")) {
        String seen = plain(failure(task::start), task) + " " + task.state("").getStatus();
        remove(shim, task);
        return seen;
      } finally {
        Scratch.remove(image.getParent());
      }
    });
    assertTrue(error.startsWith("2 OCI runtime restore failed: "), error);
  }

  @Test
  void aDamagedImageGivesTheErrorOfRuncAtStartAndNothingIsLeft() throws IOException {
    Path image = image();
    try (var task = running(SHIM, "sleep", "1000")) {
      task.checkpoint(image, EXIT);
      task.await("");
    }
    Files.writeString(image.resolve("pstree.img"), "nonsense");
    String error = Differential.same(shim -> {
      try (var task = toRestore(shim, image, Optional.empty(), "sleep", "1000")) {
        String seen = plain(failure(task::start), task) + " " + task.state("").getStatus();
        remove(shim, task);
        return seen;
      }
    });
    assertTrue(error.startsWith("2 OCI runtime restore failed: criu failed: "), error);
    Scratch.remove(image.getParent());
  }

  /** Defect 11: the process ends before runc has said that it has restored it. */
  @Test
  void anExitRightAfterTheRestoreIsNotLost() {
    Path image = image();
    String[] command = {"sh", "-c", "read line; exit 7"};
    Path stdin = Bundle.fifo(BED.directory().resolve("stdin"));
    try (var task = opened(SHIM, Optional.empty(), command)) {
      task.create(r -> r.setStdin(stdin.toString()));
      task.start();
      Await.until("it reads", () -> Proc.info(task.state("").getPid()).isPresent());
      task.checkpoint(image, EXIT);
      task.await("");
    }
    // its new stdin is /dev/null, which is at its end
    String late = "/usr/sbin/runc \"$@\"; status=$?; sleep 1; exit $status";
    var slow = FaultyRunc.options(BED.directory(), "restore", late);
    try (var task = toRestore(SHIM, image, slow, command)) {
      task.start();
      assertEquals(7, task.await("").getExitStatus());
      assertEquals(7, task.delete("").getExitStatus());
      var topics = BED.shims().sink().until(BED.shims().namespace(), task.id(), "/tasks/delete").stream()
          .map(EventSink.Seen::topic).toList();
      assertEquals(List.of("/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"), topics);
    } finally {
      Scratch.remove(image.getParent());
    }
  }
}
