package io.loomshim.threads;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Threads carry the name of what they serve. */
final class ThreadsTest {
  @Test
  void aVirtualThreadHasTheNameOfWhatItServes() throws Exception {
    var seen = new CompletableFuture<Thread>();
    Threads.start("exit/web-1", () -> seen.complete(Thread.currentThread()));
    var thread = seen.get(10, TimeUnit.SECONDS);
    assertEquals("exit/web-1", thread.getName());
    assertTrue(thread.isVirtual());
  }

  @Test
  void aPlatformThreadDoesNotKeepTheProcessAlive() throws Exception {
    var seen = new CompletableFuture<Thread>();
    Threads.startPlatform("poller", () -> seen.complete(Thread.currentThread()));
    var thread = seen.get(10, TimeUnit.SECONDS);
    assertEquals("poller", thread.getName());
    assertFalse(thread.isVirtual());
    assertTrue(thread.isDaemon());
  }

  private static Thread startedWith(String kind) throws Exception {
    Threads.use(kind);
    try {
      var seen = new CompletableFuture<Thread>();
      Threads.start("rpc/State/c1", () -> seen.complete(Thread.currentThread()));
      return seen.get(10, TimeUnit.SECONDS);
    } finally {
      Threads.use("virtual");
    }
  }

  @Test
  void theKindOfThreadIsChosenOnceForAll() throws Exception {
    assertTrue(startedWith("virtual").isVirtual());
    assertTrue(startedWith("pinned").isVirtual());
    for (String kind : List.of("platform", "fixed:1")) {
      Thread thread = startedWith(kind);
      assertFalse(thread.isVirtual(), kind);
      assertTrue(thread.isDaemon(), kind);
      assertEquals("rpc/State/c1", thread.getName());
    }
  }

  @Test
  void whoFindsNoThreadFreeIsToldSoAndLaterServed() throws Exception {
    Threads.use("fixed:1");
    try {
      Threads.beginCall();
      var refused = new CompletableFuture<String>();
      Threads.start("rpc/Kill/c1", () -> refused.complete(refusal()));
      assertEquals("no thread is free: all 1 of threads=fixed:1 have been busy for 5 s",
          refused.get(60, TimeUnit.SECONDS));
      var served = new CompletableFuture<String>();
      Threads.start("rpc/Kill/c1", () -> served.complete(refusal()));
      Threads.endCall();
      assertEquals("none", served.get(60, TimeUnit.SECONDS));
    } finally {
      Threads.use("virtual");
    }
  }

  private static String refusal() {
    try {
      Threads.beginCall();
      Threads.endCall();
      return "none";
    } catch (NoThreadException e) {
      return e.getMessage();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whatIsNoKindOfThreadIsRefused() {
    assertEquals("threads=green is none of virtual, platform, fixed:N, pinned",
        assertThrows(IllegalArgumentException.class, () -> Threads.use("green")).getMessage());
    for (String count : List.of("", "0", "-1", "many")) {
      assertEquals("threads=fixed:" + count + ": the number of threads must be 1 or more",
          assertThrows(IllegalArgumentException.class, () -> Threads.use("fixed:" + count)).getMessage());
    }
  }
}
