package io.loomshim.integration.daemon;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import io.loomshim.proto.task.DeleteResponse;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A daemon that is told to end, that crashes, or whose containerd is away; each test has one of its own. */
@Timeout(120)
final class DaemonEndIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Duration SOON = Await.seconds(20);

  private Path directory;
  private Shims shims;

  @BeforeEach
  void prepare() throws IOException {
    Shim.assumeOurs("the Go shim has no daemon for many");
    directory = Scratch.directory("end");
    shims = new Shims(directory, BED.rootfs());
  }

  @AfterEach
  void forget() {
    shims.close();
    Names.forget(directory.resolve("grpc"));
    Scratch.remove(directory);
  }

  private ShimClient created() {
    var task = shims.start(Shim.tested(), shims.bundle(Names.id("end"), "sleep", "1000"));
    task.create();
    return task;
  }

  private static Install.Daemon daemon(ShimClient task) {
    long pid = task.connect().getShimPid();
    return Install.get().daemons().stream().filter(d -> d.pid() == pid).findFirst().orElseThrow();
  }

  private static void terminate(Install.Daemon daemon) {
    Proc.terminate(daemon.pid());
    Await.until("the daemon has ended", () -> !daemon.alive());
  }

  /** Runs {@code delete} as containerd does for a container without a shim. */
  private DeleteResponse cleanedUp(ShimClient task, Bundle bundle) throws IOException {
    assertFalse(task.id().isEmpty());
    var result = shims.delete(Shim.tested(), bundle);
    assertEquals(0, result.exit());
    return DeleteResponse.parseFrom(result.out());
  }

  /** Defect 27. */
  @Test
  void onSigtermADaemonEndsInOrderAndItsContainersRunOnUntilContainerdRemovesThem() throws Exception {
    var bundle = shims.bundle(Names.id("term"), "sleep", "1000");
    try (var task = shims.start(Shim.tested(), bundle)) {
      int pid = task.create();
      task.start();
      shims.sink().until(shims.namespace(), task.id(), "/tasks/start");
      var daemon = daemon(task);
      terminate(daemon);
      assertFalse(Files.exists(task.socket()));
      assertFalse(Files.exists(daemon.directory().resolve("daemon")));
      assertTrue(Proc.alive(pid));
      var response = cleanedUp(task, bundle);
      assertEquals(pid + " 137", response.getPid() + " " + response.getExitStatus());
      Await.until("the container is gone", () -> !Proc.alive(pid));
    }
  }

  /** Defect 28. */
  @Test
  void whatTheJvmSaysWhenItCrashesIsKept() throws Exception {
    var bundle = shims.bundle(Names.id("crash"), "sleep", "1000");
    try (var task = shims.start(Shim.tested(), bundle)) {
      int pid = task.create();
      var daemon = daemon(task);
      Proc.signal(daemon.pid(), "SEGV");
      Await.until("the daemon has ended", () -> !daemon.alive());
      Path report = daemon.directory().resolve("hs_err.log");
      assertTrue(Files.readString(report).contains("SIGSEGV"));
      assertEquals(pid, cleanedUp(task, bundle).getPid());
      Await.until("the container is gone", () -> !Proc.alive(pid));
      try (var next = created()) { // the next daemon leaves it alone
        assertTrue(Files.readString(report).contains("SIGSEGV"));
        terminate(daemon(next));
      }
    }
  }

  /** Defect 15. */
  @Test
  void aContainerdThatReadsNoEventsStallsNoCallAndNoExit() throws Exception {
    shims.sink().close();
    var address = UnixDomainSocketAddress.of(directory.resolve("events"));
    try (var silent = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address); var task = created()) {
      assertTrue(silent.isOpen());
      Instant before = Instant.now();
      task.start();
      for (int i = 0; i < 500; i++) { // the Go shim's queue takes 128
        task.exec("e" + i, "true");
      }
      task.start("e0");
      assertEquals(0, task.await("e0").getExitStatus());
      task.kill(ShimClient.KILL, "");
      assertEquals(137, task.await("").getExitStatus());
      assertEquals(137, task.delete("").getExitStatus());
      assertEquals("5 container not created: not found", failure(() -> task.state("")));
      var took = Duration.between(before, Instant.now());
      assertTrue(took.compareTo(SOON) < 0, () -> "it took " + took);
      terminate(daemon(task));
    }
  }
}
