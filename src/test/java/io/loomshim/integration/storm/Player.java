package io.loomshim.integration.storm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.EventSink;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.ttrpc.Redo;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** One client of a storm, on a thread of its own: it knows what it must see, and tells the game of anything else. */
abstract class Player {
  private static final int TRIES_MAX = 50;

  final Game game;
  final String name;
  private final CountDownLatch attached = new CountDownLatch(1);
  private CompletableFuture<Void> playing;

  Player(Game game, String name) {
    this.game = game;
    this.name = name;
  }

  /** Plays until the game is over, and then ends what there is. */
  abstract void play() throws Exception;

  final void begin() {
    playing = CompletableFuture.runAsync(() -> {
      try {
        play();
      } catch (Exception | AssertionError e) {
        var text = new StringWriter();
        e.printStackTrace(new PrintWriter(text, true));
        game.problem(name + ": " + text);
      }
    }, Thread::startVirtualThread);
  }

  /** The container has its streams. */
  final void attached() {
    attached.countDown();
  }

  /** To be called before the first kill: a Create that is undone would end the reader of its fifo. */
  final void awaitAttached() throws InterruptedException {
    assertTrue(attached.await(60, TimeUnit.SECONDS), name);
  }

  final void end() {
    try {
      playing.get(180, TimeUnit.SECONDS);
    } catch (Exception e) {
      game.problem(name + " has not come to its end: " + e);
    }
  }

  static int value(CompletableFuture<Integer> call) throws Exception {
    return call.get(90, TimeUnit.SECONDS);
  }

  /** Repeats what a daemon may leave in doubt; for nothing else. */
  final void insist(Runnable call) {
    for (int i = 0; i < TRIES_MAX; i++) {
      String problem = ShimClient.failure(call);
      if (problem.startsWith("no error")) {
        return;
      }
      boolean undone = problem.endsWith(": an earlier one is still being removed");
      assertEquals("14 " + Redo.IN_DOUBT, undone ? "14 " + Redo.IN_DOUBT : problem, name);
      game.saw(undone ? "being undone" : "in doubt");
    }
    throw new AssertionError("in doubt " + TRIES_MAX + " times");
  }

  /** The events of a process in their order, its own alone, once the last of them has come. */
  final void told(String id, String process, List<String> expected) {
    Await.until("the end of " + process + " is told", () -> seen(id, process).size() >= expected.size());
    assertEquals(expected, seen(id, process), name);
  }

  private List<String> seen(String id, String process) {
    return game.events(id).stream().filter(seen -> seen.process().equals(process)).map(Player::words).toList();
  }

  static String words(EventSink.Seen seen) {
    String topic = seen.topic().substring("/tasks/".length());
    return seen.status() < 0 ? topic : topic + " " + seen.status();
  }
}
