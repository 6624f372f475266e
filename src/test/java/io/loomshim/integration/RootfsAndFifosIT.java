package io.loomshim.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.loomshim.proto.types.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The root file system and the FIFOs that a Create names. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
final class RootfsAndFifosIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();

  private static void writable(Bundle bundle) throws IOException {
    Path config = bundle.path().resolve("config.json");
    Files.writeString(config, Files.readString(config).replace("\"readonly\": true", "\"readonly\": false"));
  }

  @Test
  void a_bind_mount_is_the_root_until_the_task_is_deleted() {
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
  void an_overlay_takes_the_writes_into_its_upper_directory() throws IOException {
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
  void close_io_ends_stdin_once_the_writers_are_gone() {
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
  void an_output_without_a_name_goes_nowhere() {
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
