package io.loomshim.integration.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.Shims;
import io.loomshim.integration.harness.Typist;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A daemon whose virtual threads share one carrier, which the JVM may not add to: whatever waits without giving its
 * carrier up, in a read, a native call or a monitor, stops everything else.
 */
final class CarrierIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final String OPTIONS = "java_options";
  private static final String ONE = "-Djdk.virtualThreadScheduler.parallelism=1"
      + " -Djdk.virtualThreadScheduler.maxPoolSize=1";

  @BeforeAll
  static void daemonsHaveOneCarrier() {
    Shim.assumeOurs("Go shims have no carriers");
    var settings = Install.get().settings();
    settings.merge(OPTIONS, ONE, (present, one) -> present + " " + one);
    Install.get().configure(settings);
  }

  @AfterAll
  static void laterOnesHaveMore() {
    var settings = Install.get().settings();
    settings.putIfAbsent(OPTIONS, "");
    Install.get().configure(settings);
  }

  @Test
  void noWaitForATerminalAFifoAProcessOrRuncDelaysAnybodyElse() throws Exception {
    Path unread = Bundle.fifo(BED.directory().resolve("unread"));
    Path gate = Bundle.fifo(BED.directory().resolve("gate"));
    var slowly = FaultyRunc.options(BED.directory(), "create", "read word < " + gate + "\nexec runc \"$@\"");
    try (var shims = new Shims(BED.directory().resolve("carrier"), BED.rootfs());
        var shell = shims.start(SHIM, shims.bundle(Names.id("shell"), "sh", "-c",
            "stty -echo; echo ready; while read line; do echo got $line; done").withTerminal());
        var typist = new Typist(BED.directory(), "carrier");
        var web = shims.start(SHIM, shims.bundle(Names.id("web"), "sleep", "1000"));
        var late = shims.start(SHIM, shims.bundle(Names.id("late"), "sleep", "1000"));
        var slow = shims.start(SHIM, shims.bundle(Names.id("slow"), "sleep", "1000"), slowly)) {
      shell.create(typist::on);
      shell.start();
      web.create();
      web.start();
      var wait = Await.meanwhile(() -> web.await("").getExitStatus());
      var withoutReader = Await.meanwhile(() -> late.create(request -> request.setStdout(unread.toString())));
      var behindRunc = Await.meanwhile(() -> slow.create(request -> request.setOptions(slowly.orElseThrow())));

      for (int i = 0; i < 10; i++) {
        assertEquals("RUNNING", web.state("").getStatus().name());
        web.exec("e" + i, "sh", "-c", "exit 3");
        web.start("e" + i);
        assertEquals(3, web.await("e" + i).getExitStatus());
        web.delete("e" + i);
      }
      typist.awaitOutput("ready\r\n");
      typist.type("this\n");
      typist.awaitOutput("got this\r\n");
      assertFalse(wait.isDone() || withoutReader.isDone() || behindRunc.isDone(), "all three still wait");

      var reader = Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()),
          List.of("cat", unread.toString()));
      withoutReader.get(Await.LIMIT.toSeconds(), TimeUnit.SECONDS);
      Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()),
          List.of("sh", "-c", "echo go > " + gate)).await(Await.LIMIT).ok();
      behindRunc.get(Await.LIMIT.toSeconds(), TimeUnit.SECONDS);
      for (var task : List.of(late, slow, web, shell)) {
        assertEquals(137, task.end());
      }
      assertEquals(137, wait.get());
      reader.await(Await.LIMIT).ok();
    }
  }
}
