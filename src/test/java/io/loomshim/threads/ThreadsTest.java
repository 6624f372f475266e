package io.loomshim.threads;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
}
