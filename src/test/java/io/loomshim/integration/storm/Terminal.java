package io.loomshim.integration.storm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.ShimClient;
import io.loomshim.integration.harness.Typist;

/** A terminal in which somebody types, and each line is answered. */
final class Terminal extends Player {
  Terminal(Game game, String name) {
    super(game, name);
  }

  @Override
  void play() throws Exception {
    var bundle = game.bundle(name, "sh", "-c", "stty -echo; echo ready; while read line; do echo got $line; done");
    try (var typist = new Typist(game.directory(), name); var task = game.join(bundle.withTerminal())) {
      insist(() -> task.create(typist::on));
      task.start();
      attached();
      typist.awaitOutput("ready\r\n");
      var expected = new StringBuilder("ready\r\n");
      for (int i = 0; !game.isOver(); i++) {
        typist.type(i + "\n");
        expected.append("got ").append(i).append("\r\n");
        typist.awaitOutput("got " + i + "\r\n");
        assertEquals(expected.toString(), typist.output());
        task.resize("", 80 + i % 50, 25);
        game.saw("lines typed");
      }
      task.kill(ShimClient.KILL, "");
      assertEquals(137, task.await("").getExitStatus());
      task.delete("");
      assertEquals(expected.toString(), typist.rest());
    }
  }
}
