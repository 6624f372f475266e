package io.loomshim.integration.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Criu;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import io.loomshim.proto.runc.CheckpointOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A daemon that is killed beside a container that was restored from a checkpoint, or is about to be. */
final class RestoredTakeOverIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final String COUNTING =
      "i=0; while [ ! -e /run/end ]; do i=$((i+1)); echo $i; echo $i > /run/n; sleep 0.05; done; exit 9";

  private final Path image = Scratch.directory("image").resolve("i");

  @BeforeAll
  static void criu() {
    Shim.assumeOurs("no other shim is taken over");
    Criu.assumeItWorks();
  }

  private static Exec cat(Path fifo) {
    return Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), List.of("cat", fifo.toString()));
  }

  private static int number(ShimClient task) {
    try {
      Path file = Path.of("/proc/" + task.state("").getPid() + "/root/run/n");
      String text = Files.exists(file) ? Files.readString(file).strip() : "";
      return text.isEmpty() ? 0 : Integer.parseInt(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void counts(ShimClient task) {
    int now = number(task);
    Await.until("it counts", () -> number(task) > now + 2);
  }

  private static void end(ShimClient task) throws IOException {
    Files.writeString(Path.of("/proc/" + task.state("").getPid() + "/root/run/end"), "");
    assertEquals(9, task.await("").getExitStatus());
    task.delete("");
  }

  private void save(OwnDaemon own) {
    Path out = Bundle.fifo(BED.directory().resolve(Names.id("saved")));
    var reader = cat(out);
    try (var task = own.open("sh", "-c", COUNTING)) {
      task.create(r -> r.setStdout(out.toString()));
      task.start();
      counts(task);
      task.checkpoint(image, CheckpointOptions.newBuilder().setExit(true).build());
      assertEquals(137, task.await("").getExitStatus());
      task.delete("");
    } finally {
      reader.kill();
    }
  }

  private static void consecutive(String output) {
    int before = 0;
    for (String line : output.lines().toList()) {
      int number = Integer.parseInt(line);
      assertEquals(before == 0 ? number : before + 1, number);
      before = number;
    }
  }

  @Test
  void itGoesOnWithItsOutputAndItsStatus() throws Exception {
    try (var own = new OwnDaemon(BED.rootfs(), Map.of("take_over", "true"))) {
      save(own);
      Path out = Bundle.fifo(BED.directory().resolve("restored"));
      var reader = cat(out);
      try (var task = own.open("sh", "-c", COUNTING)) {
        task.create(r -> r.setStdout(out.toString()).setCheckpoint(image.toString()));
        task.start();
        counts(task);
        own.kill();
        assertEquals("RUNNING", task.state("").getStatus().name());
        counts(task);
        end(task);
        consecutive(reader.await(Ctr.LIMIT).ok().text());
      }
    }
    Scratch.remove(image.getParent());
  }

  @Test
  void oneThatWasNotStartedYetCanBeStarted() throws Exception {
    try (var own = new OwnDaemon(BED.rootfs(), Map.of("take_over", "true"))) {
      save(own);
      Path out = Bundle.fifo(BED.directory().resolve("unstarted"));
      var reader = cat(out);
      try (var task = own.open("sh", "-c", COUNTING)) {
        task.create(r -> r.setStdout(out.toString()).setCheckpoint(image.toString()));
        own.kill();
        assertEquals("CREATED", task.state("").getStatus().name());
        reader.kill(); // nobody has the fifo open any more, unless the daemon has
        var next = cat(out);
        task.start();
        counts(task);
        own.kill();
        counts(task);
        end(task);
        consecutive(next.await(Ctr.LIMIT).ok().text());
      }
    }
    Scratch.remove(image.getParent());
  }
}
