package io.loomshim.integration.storm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.ShimClient;
import java.util.ArrayList;
import java.util.List;

/** A container that is paused and resumed all the time. */
final class Pauses extends Player {
  Pauses(Game game, String name) {
    super(game, name);
  }

  @Override
  void play() throws Exception {
    try (var task = game.join(game.bundle(name, "sleep", "1000"))) {
      insist(task::create);
      task.start();
      var expected = new ArrayList<>(List.of("create", "start"));
      while (!game.isOver()) {
        task.pause();
        assertEquals("PAUSED", task.state("").getStatus().name());
        task.resume();
        assertEquals("RUNNING", task.state("").getStatus().name());
        expected.addAll(List.of("paused", "resumed"));
        game.saw("pauses");
      }
      task.kill(ShimClient.KILL, "");
      assertEquals(137, task.await("").getExitStatus());
      task.delete("");
      told(task.id(), task.id(), List.of("exit 137"));
      assertEquals(expected, game.events(task.id()).stream().map(Player::words)
          .filter(words -> !words.startsWith("exit") && !words.startsWith("delete")).toList());
    }
  }
}
