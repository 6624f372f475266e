package io.loomshim.integration.storm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.ShimClient;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** A container that only runs, while a client waits for its end and asks for its state now and then. */
final class Bystander extends Player {
  private static final long PAUSE_NANOS = 500_000_000;

  Bystander(Game game, String name) {
    super(game, name);
  }

  @Override
  void play() throws Exception {
    try (var task = game.join(game.bundle(name, "sleep", "1000"))) {
      insist(task::create);
      task.start();
      var wait = Await.meanwhile(() -> task.awaitForEver("").getExitStatus());
      while (!game.isOver()) {
        assertEquals("RUNNING", task.state("").getStatus().name());
        game.saw("states");
        LockSupport.parkNanos(PAUSE_NANOS);
      }
      assertFalse(wait.isDone());
      task.kill(ShimClient.KILL, "");
      assertEquals(137, value(wait));
      assertEquals(137, task.delete("").getExitStatus());
      told(task.id(), task.id(), List.of("exit 137"));
    }
  }
}
