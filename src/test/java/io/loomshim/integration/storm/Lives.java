package io.loomshim.integration.storm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.ShimClient;
import java.util.List;
import java.util.Random;

/** Containers one after another, from Create to Delete. */
final class Lives extends Player {
  private final Random random;

  Lives(Game game, String name, Random random) {
    super(game, name);
    this.random = random;
  }

  @Override
  void play() throws Exception {
    while (!game.isOver()) {
      live(random.nextBoolean(), 1 + random.nextInt(99));
    }
  }

  private void live(boolean killed, int code) throws Exception {
    int expected = killed ? 137 : code;
    var bundle = killed ? game.bundle(name, "sleep", "1000") : game.bundle(name, "sh", "-c", "exit " + code);
    try (var task = game.join(bundle)) {
      insist(task::create);
      var wait = Await.meanwhile(() -> task.await("").getExitStatus());
      task.start();
      if (killed) {
        task.kill(ShimClient.KILL, "");
      }
      assertEquals(expected, value(wait), name);
      assertEquals("STOPPED", task.state("").getStatus().name());
      assertEquals(expected, task.delete("").getExitStatus());
      Await.until("the end is told", () -> words(task.id()).contains("delete " + expected));
      assertEquals(List.of("create", "start", "exit " + expected, "delete " + expected), words(task.id()));
      game.saw("lives");
    }
  }

  private List<String> words(String id) {
    return game.events(id).stream().map(Player::words).toList();
  }
}
