package io.loomshim.integration.storm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.ShimClient;
import java.util.List;
import java.util.Random;

/** Execs one after another, half of which are killed. */
final class Execs extends Player {
  private final Random random;

  Execs(Game game, String name, Random random) {
    super(game, name);
    this.random = random;
  }

  @Override
  void play() throws Exception {
    try (var task = game.join(game.bundle(name, "sleep", "1000"))) {
      insist(task::create);
      task.start();
      for (int i = 0; !game.isOver(); i++) {
        run(task, "e" + i, random.nextBoolean(), 1 + random.nextInt(99));
      }
      task.end();
    }
  }

  private void run(ShimClient task, String exec, boolean killed, int code) throws Exception {
    int expected = killed ? 137 : code;
    task.exec(exec, killed ? new String[] {"sleep", "1000"} : new String[] {"sh", "-c", "exit " + code});
    assertEquals("CREATED", task.state(exec).getStatus().name());
    var wait = Await.meanwhile(() -> task.await(exec).getExitStatus());
    insist(() -> task.start(exec));
    if (killed) {
      assertEquals("RUNNING", task.state(exec).getStatus().name());
      task.kill(ShimClient.KILL, exec);
    }
    assertEquals(expected, value(wait), name);
    assertEquals("STOPPED", task.state(exec).getStatus().name());
    assertEquals(expected, task.delete(exec).getExitStatus());
    told(task.id(), exec, List.of("exec-added", "exec-started", "exit " + expected));
    game.saw("execs");
  }
}
