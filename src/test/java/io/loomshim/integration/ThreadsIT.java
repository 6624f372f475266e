package io.loomshim.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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

  /** The names of the threads of the operating system, which the kernel cuts after 15 bytes. */
  private static List<String> systemThreads(long pid) {
    var names = new ArrayList<String>();
    try (var tasks = Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
      for (Path task : tasks) {
        names.add(Files.readString(task.resolve("comm")).strip());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return names;
  }

  @ParameterizedTest
  @ValueSource(strings = {"virtual", "platform", "fixed:16"})
  void every_kind_of_thread_serves_the_life_of_a_container(String kind) {
    Shim.assumeOurs("Go shims have no such choice");
    daemonsUse(kind);
    var ctr = BED.ctr().in(Names.namespace());
    String id = Names.id("kind");
    ctr.detached(SHIM, id, "sleep", "1000");
    long daemon = Proc.info(ctr.pid(id)).orElseThrow().parent();
    boolean system = systemThreads(daemon).stream().anyMatch(name -> name.startsWith("exit/"));
    assertEquals(!kind.equals("virtual"), system, kind + ": " + systemThreads(daemon));
    assertEquals("yes", ctr.call("task", "exec", "--exec-id", "e", id, "echo", "yes").ok().text().strip());
    assertEquals(137, ctr.end(id));
    Await.until("the daemon ends", () -> !Proc.alive(daemon));
  }

  @Test
  void a_fixed_number_of_threads_refuses_calls_that_find_none_and_serves_again_later() throws Exception {
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
