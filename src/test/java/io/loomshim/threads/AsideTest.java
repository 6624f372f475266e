package io.loomshim.threads;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Steps that wait for what may never answer keep nobody but their callers, and those only for as long as they want. */
@Timeout(60)
final class AsideTest {
  private final CountDownLatch answer = new CountDownLatch(1);
  private final List<Thread> callers = new ArrayList<>();

  @AfterEach
  void letGo() throws Exception {
    answer.countDown();
    for (Thread caller : callers) {
      caller.join();
    }
    await().until(() -> Aside.running().isEmpty());
  }

  /** What a virtual thread called {@code name} gets. */
  private <T> CompletableFuture<T> on(String name, Aside.Step<T> work) {
    var outcome = new CompletableFuture<T>();
    callers.add(Threads.start(name, () -> {
      try {
        outcome.complete(work.run());
      } catch (Throwable e) {
        outcome.completeExceptionally(e);
      }
    }));
    return outcome;
  }

  /** A step for a file system that does not answer. */
  private CompletableFuture<String> stuck(String name, String what) {
    var result = on(name, () -> Aside.run(what, () -> {
      answer.await();
      return "answered";
    }));
    await().until(() -> result.isDone() || begun(what));
    return result;
  }

  private static boolean begun(String what) {
    return Thread.getAllStackTraces().keySet().stream().anyMatch(t -> t.getName().startsWith("aside " + what + " "));
  }

  private static Throwable failure(CompletableFuture<?> outcome) {
    return assertThrows(ExecutionException.class, () -> outcome.get(20, TimeUnit.SECONDS)).getCause();
  }

  private void fill() {
    for (int i = 0; i < AsideThreads.THREADS_MAX; i++) {
      int number = i;
      on("rpc/Create/web-" + i, () -> Aside.run("open /hung/" + number, () -> {
        answer.await();
        return "answered";
      }));
    }
    await().until(() -> Thread.getAllStackTraces().keySet().stream()
        .filter(t -> t.getName().startsWith("aside open /hung/")).count() == AsideThreads.THREADS_MAX);
  }

  @Test
  void aStepRunsOnAPlatformThreadThatIsNamedAfterItAndItsCaller() throws Exception {
    var seen = on("rpc/Create/web-1", () -> Aside.run("open /x", () -> {
      assertFalse(Thread.currentThread().isVirtual());
      return Thread.currentThread().getName();
    }));
    assertEquals("aside open /x for rpc/Create/web-1", seen.get());
  }

  @Test
  void aStepWithinAStepRunsOnTheSameThread() throws Exception {
    var seen = on("a", () -> Aside.run("outer", () -> {
      Thread outer = Thread.currentThread();
      return Aside.run("inner", () -> outer == Thread.currentThread());
    }));
    assertTrue(seen.get());
  }

  @Test
  void whatAStepThrowsReachesItsCaller() {
    var e = new IOException("no such device");
    assertEquals(e, failure(on("a", () -> Aside.run("open /x", () -> {
      throw e;
    }))));
  }

  @Test
  void anInterruptedCallerGoesAndWhatComesLateIsTakenBack() throws Exception {
    var undone = new CompletableFuture<String>();
    var left = on("rpc/Create/web-1", () -> Aside.run("open /x", () -> {
      answer.await();
      return "fd";
    }, undone::complete));
    await().until(() -> begun("open /x"));
    callers.getFirst().interrupt();
    assertEquals("open /x", assertInstanceOf(InterruptedException.class, failure(left)).getMessage());
    assertTrue(Aside.running().getFirst().left());
    assertFalse(undone.isDone());
    answer.countDown();
    assertEquals("fd", undone.get(20, TimeUnit.SECONDS));
  }

  @Test
  void aStepThatIsWaitedForToItsEndIsNotCutShortByAnInterrupt() throws Exception {
    var result = on("io/web-1/stdout", () -> {
      String count = Aside.runToEnd("write /x", () -> {
        answer.await();
        return "written";
      });
      return count + " " + Thread.interrupted();
    });
    await().until(() -> begun("write /x"));
    callers.getFirst().interrupt();
    answer.countDown();
    assertEquals("written true", result.get());
  }

  @Test
  void aClosingThatIsStuckKeepsItsCallerForAMomentOnly() throws Exception {
    var closed = new CompletableFuture<String>();
    on("rpc/Delete/web-1", () -> {
      Aside.finish("close /x", () -> {
        answer.await();
        closed.complete("closed");
      });
      return "";
    }).get(20, TimeUnit.SECONDS);
    assertFalse(closed.isDone());
    answer.countDown();
    assertEquals("closed", closed.get(20, TimeUnit.SECONDS));
  }

  @Test
  void aCallerWithALimitOfItsOwnGoesThen() throws Exception {
    var limited = on("exit/web-1", () -> Aside.run("read /x", () -> {
      answer.await();
      return "read";
    }, Duration.ofMillis(1)));
    assertFalse(assertInstanceOf(AsideException.class, failure(limited)).scarce());
    assertEquals("read", on("exit/web-2", () -> Aside.run("read /y", () -> "read", Duration.ofSeconds(20))).get());
  }

  @Test
  void oneContainerThatIsStuckLeavesThreadsForTheOthers() throws Exception {
    for (int i = 0; i < AsideThreads.OWNER_MAX; i++) {
      stuck("rpc/Start/web-1/e" + i, "open /hung/" + i);
    }
    var e = assertInstanceOf(AsideException.class, failure(stuck("rpc/Start/web-1/more", "open /hung/more")));
    assertTrue(e.scarce());
    assertEquals("open /hung/more: 16 steps already wait for file systems, the first of them: open /hung/0",
        e.getMessage());
    assertEquals("x", on("rpc/Start/web-2/e1", () -> Aside.run("open /x", () -> "x")).get());
  }

  @Test
  void manyStepsOfOneContainerHaveTheirTurnsIfTheyAnswer() throws Exception {
    var results = new ArrayList<CompletableFuture<Integer>>();
    for (int i = 0; i < 20 * AsideThreads.OWNER_MAX; i++) {
      int number = i;
      results.add(on("rpc/Start/web-1/e" + i, () -> Aside.run("open /x", () -> number)));
    }
    for (int i = 0; i < results.size(); i++) {
      assertEquals(i, results.get(i).get(20, TimeUnit.SECONDS));
    }
  }

  @Test
  void moreStepsThanThreadsAreRefusedAndThoseThatMustBeDoneWait() throws Exception {
    fill();
    var e = assertInstanceOf(AsideException.class, failure(stuck("rpc/Create/late", "open /hung/late")));
    assertTrue(e.scarce() && e.getMessage().startsWith("open /hung/late: 256 steps already wait"), e.getMessage());
    var written = on("io/late/stdout", () -> Aside.runToEnd("write /x", () -> "written"));
    await().until(() -> Aside.running().stream().anyMatch(step -> step.what().equals("write /x")));
    assertFalse(written.isDone());
    answer.countDown();
    assertEquals("written", written.get(20, TimeUnit.SECONDS));
  }

  @Test
  void aStepWhoseCallerHasGoneBeforeItBeganNeverRuns() throws Exception {
    fill();
    var ran = new CompletableFuture<String>();
    var patient = on("io/late/stdout", () -> Aside.runToEnd("write /x", () -> "written"));
    var left = on("rpc/Create/late", () -> {
      Thread.currentThread().interrupt();
      return Aside.run("open /y", () -> ran.complete("ran"));
    });
    assertInstanceOf(InterruptedException.class, failure(left));
    answer.countDown();
    patient.get(20, TimeUnit.SECONDS);
    await().until(() -> Aside.running().isEmpty());
    assertFalse(ran.isDone());
  }
}
