package io.loomshim.integration.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Mounts;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import io.loomshim.proto.types.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The root file system and the FIFOs that a Create names. */
final class RootfsAndFifosIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();

  private static void writable(Bundle bundle) throws IOException {
    Path config = bundle.path().resolve("config.json");
    Files.writeString(config, Files.readString(config).replace("\"readonly\": true", "\"readonly\": false"));
  }

  @Test
  void aBindMountIsTheRootUntilTheTaskIsDeleted() {
    var bundle = BED.shims().bundleOn("rootfs", Names.id("bind"), "sleep", "1000");
    var mount = Mount.newBuilder().setType("bind").setSource(BED.rootfs().toString()).addOptions("rbind")
        .addOptions("ro");
    try (var task = BED.shims().start(SHIM, bundle)) {
      task.create(request -> request.addRootfs(mount));
      task.start();
      String root = bundle.path().resolve("rootfs").toString();
      assertEquals(List.of(root), Mounts.below(root));
      assertEquals(137, task.end());
      assertEquals(List.of(), Mounts.below(root));
    }
  }

  @Test
  void anOverlayTakesTheWritesIntoItsUpperDirectory() throws IOException {
    Path upper = Files.createDirectories(BED.directory().resolve("overlay/upper"));
    Path work = Files.createDirectories(BED.directory().resolve("overlay/work"));
    var bundle = BED.shims().bundleOn("rootfs", Names.id("overlay"), "sh", "-c", "echo written > /tmp/file; exit 3");
    writable(bundle);
    var mount = Mount.newBuilder().setType("overlay").setSource("overlay").addOptions("index=off")
        .addOptions("workdir=" + work).addOptions("upperdir=" + upper).addOptions("lowerdir=" + BED.rootfs());
    try (var task = BED.shims().start(SHIM, bundle)) {
      task.create(request -> request.addRootfs(mount));
      task.start();
      assertEquals(3, task.await("").getExitStatus());
      task.delete("");
      assertEquals(List.of(), Mounts.below(bundle.path().toString()));
    }
    assertEquals("written\n", Files.readString(upper.resolve("tmp/file")));
    assertFalse(Files.exists(BED.rootfs().resolve("tmp/file")));
  }

  @Test
  void closeIoEndsStdinOnceTheWritersAreGone() {
    var bundle = BED.shims().bundle(Names.id("stdin"), "cat");
    var in = Bundle.fifo(bundle.path().resolve("in"));
    var out = Bundle.fifo(bundle.path().resolve("out"));
    var err = Bundle.fifo(bundle.path().resolve("err"));
    var setting = new Exec.Setting(bundle.path(), Map.of());
    var outReader = Exec.start(BED.directory(), setting, List.of("cat", out.toString()));
    var errReader = Exec.start(BED.directory(), setting, List.of("cat", err.toString()));
    var writer = Exec.start(BED.directory(), setting, List.of("sh", "-c", "printf one > in; printf two > in"));
    try (var task = BED.shims().start(SHIM, bundle)) {
      task.create(request -> request.setStdin(in.toString()).setStdout(out.toString()).setStderr(err.toString()));
      task.start();
      writer.await(Ctr.LIMIT).ok();
      Await.until("the data is back", () -> outReader.output().equals("onetwo"));
      assertEquals("RUNNING", task.state("").getStatus().name());
      task.closeIo("");
      assertEquals(0, task.await("").getExitStatus());
      task.delete("");
      assertEquals("onetwo", outReader.await(Ctr.LIMIT).text());
      assertEquals("", errReader.await(Ctr.LIMIT).text());
    } finally {
      List.of(writer, outReader, errReader).forEach(Exec::kill);
    }
  }

  @Test
  void anOutputWithoutANameGoesNowhere() {
    Shim.assumeOurs("the Go shim fails when only one of stdout and stderr is empty");
    for (String present : List.of("out", "err")) {
      var bundle = BED.shims().bundle(Names.id("half"), "sh", "-c", "echo out; echo err >&2; exit 3");
      var fifo = Bundle.fifo(bundle.path().resolve("fifo"));
      var setting = new Exec.Setting(bundle.path(), Map.of());
      var reader = Exec.start(BED.directory(), setting, List.of("cat", fifo.toString()));
      try (var task = BED.shims().start(SHIM, bundle)) {
        task.create(request -> present.equals("out") ? request.setStdout(fifo.toString())
            : request.setStderr(fifo.toString()));
        task.start();
        assertEquals(3, task.await("").getExitStatus());
        task.delete("");
        assertEquals(present + "\n", reader.await(Ctr.LIMIT).text());
      } finally {
        reader.kill();
      }
    }
  }
}
