package io.loomshim.process;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.linux.ProcessCalls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class ProcessesTest {
  @Test
  void aZombieTellsHowItHasEnded() throws Exception {
    // the outer one becomes a program that reaps nothing
    var outer = new ProcessBuilder("sh", "-c", "sleep 1000 & echo $!; exec sleep 1000").start();
    try {
      int inner = Integer.parseInt(outer.inputReader().readLine());
      await().until(() -> Files.readString(Path.of("/proc/" + outer.pid() + "/comm")).equals("sleep\n"));
      assertEquals(OptionalInt.empty(), Processes.zombieStatus(inner));
      ProcessCalls.kill(inner, ProcessCalls.SIGKILL);
      await().until(() -> Processes.zombieStatus(inner).isPresent());
      assertEquals(OptionalInt.of(9), Processes.zombieStatus(inner));
    } finally {
      outer.destroyForcibly();
    }
  }
}
