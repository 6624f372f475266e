package io.loomshim.integration.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Proc;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Shims;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same daemon on virtual threads, on platform threads, and on a fixed number of them. */
class ThreadsIT {
  @RegisterExtension static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();

  private static void daemonsUse(String kind) {
    var settings = Install.get().settings();
    settings.put("threads", kind);
    settings.put("linger_seconds", "1");
    Install.get().configure(settings);
  }

  @AfterAll
  static void laterDaemonsUseVirtualThreads() {
    var settings = Install.get().settings();
    settings.put("threads", "virtual");
    Install.get().configure(Map.copyOf(settings));
  }

  @ParameterizedTest
  @ValueSource(strings = {"virtual", "platform", "fixed:16"})
  void everyKindOfThreadServesTheLifeOfAContainer(String kind) {
    Shim.assumeOurs("Go shims have no such choice");
    daemonsUse(kind);
    var ctr = BED.ctr().in(Names.namespace());
    String id = Names.id("kind");
    ctr.detached(SHIM, id, "sleep", "1000");
    long daemon = Proc.info(ctr.pid(id)).orElseThrow().parent();
    boolean system = Proc.threads(daemon).stream().anyMatch(name -> name.startsWith("exit/"));
    assertEquals(!kind.equals("virtual"), system, kind + ": " + Proc.threads(daemon));
    assertEquals("yes", ctr.call("task", "exec", "--exec-id", "e", id, "echo", "yes").ok().text().strip());
    assertEquals(137, ctr.end(id));
    Await.until("the daemon ends", () -> !Proc.alive(daemon));
  }

  @Test
  void aFixedNumberOfThreadsRefusesCallsThatFindNoneAndServesAgainLater() throws Exception {
    Shim.assumeOurs("Go shims have no such choice");
    daemonsUse("fixed:4");
    var daemon = new AtomicLong();
    try (var shims = new Shims(BED.directory().resolve("fixed"), BED.rootfs());
        var first = shims.start(SHIM, shims.bundle(Names.id("fixed"), "sleep", "1000"))) {
      first.create();
      daemon.set(Proc.info(first.start()).orElseThrow().parent());
      var waiter = first.another();
      var waits = new ArrayList<CompletableFuture<String>>();
      for (int i = 0; i < 5; i++) {
        // not in the common pool, which has one thread on a machine with two processors
        waits.add(CompletableFuture.supplyAsync(() -> ShimClient.error(() -> waiter.await("")),
            Thread::startVirtualThread));
      }
      var refused = CompletableFuture.anyOf(waits.toArray(CompletableFuture[]::new)).get();
      assertEquals("8 no thread is free: all 4 of threads=fixed:4 have been busy for 5 s", refused);
      assertEquals("RUNNING", first.state("").getStatus().name());
      assertTrue(ShimClient.failure(() -> first.kill(ShimClient.KILL, "")).startsWith("8 no thread is free"));
      waiter.disconnect();
      Await.until("there are threads again", () -> ShimClient.failure(first::pids).startsWith("no error"));
      assertEquals(137, first.end());
    }
    // or it ends while its recording is asked for
    Await.until("the daemon ends", () -> !Proc.alive(daemon.get()));
  }
}
