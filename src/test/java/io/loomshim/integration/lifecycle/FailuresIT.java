package io.loomshim.integration.lifecycle;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Mounts;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import io.loomshim.proto.types.Mount;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Containers that cannot come to be: a clear error, the same as the Go shim's, and nothing left. */
final class FailuresIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  /** Changes a bundle that is about to be used. */
  private interface Damage {
    void to(Path bundle) throws IOException;
  }

  @Test
  void aProgramThatIsMissingInTheContainerIsNamedToTheUser() {
    String seen = Differential.same(shim -> {
      String id = Names.id("missing");
      var result = BED.ctr().run(shim, id, "nope");
      return result.exit() + " " + Differential.plain(result.errors(), id);
    });
    assertTrue(seen.contains("exec: \"nope\": executable file not found in $PATH"), seen);
  }

  @Test
  void aFileThatIsNotExecutableIsNamedToTheUser() {
    String seen = Differential.same(shim -> {
      String id = Names.id("plain");
      var result = BED.ctr().run(shim, id, "/proc/version");
      return result.exit() + " " + Differential.plain(result.errors(), id);
    });
    assertTrue(seen.contains("permission denied"), seen);
  }

  @Test
  void aRootFileSystemThatIsMissingIsNamedToTheUser() {
    String seen = Differential.same(shim -> {
      String id = Names.id("rootless");
      var result = BED.ctr().call("run", "--rm", "--runtime", shim.runtime(), "--rootfs", "/no/such/root", id, "true");
      return result.exit() + " " + Differential.plain(result.errors(), id);
    });
    assertTrue(seen.contains("/no/such/root"), seen);
  }

  @Test
  void anIdWhoseCreationFailedCanBeUsedAtOnce() {
    String id = Names.id("retry");
    BED.ctr().run(Shim.tested(), id, "nope");
    assertEquals("yes\n", BED.ctr().run(Shim.tested(), id, "echo", "yes").ok().text());
  }

  @Test
  void aBundleWithoutConfigJsonIsRefusedWithTheSameWords() {
    String seen = createAfter(bundle -> Files.delete(bundle.resolve("config.json")));
    assertTrue(seen.contains("config.json"), seen);
  }

  @Test
  void aBundleWithABrokenConfigJsonIsRefusedWithTheSameWords() {
    createAfter(bundle -> Files.writeString(bundle.resolve("config.json"), "{\"ociVersion\": "));
  }

  @Test
  void aBundleWithAnEmptyConfigJsonIsRefusedWithTheSameWords() {
    createAfter(bundle -> Files.writeString(bundle.resolve("config.json"), "{}"));
  }

  @Test
  void aMountThatFailsIsRefusedAndTheOnesBeforeItAreUndone() {
    var good = Mount.newBuilder().setType("bind").setSource(BED.rootfs().toString()).addOptions("rbind").build();
    var bad = Mount.newBuilder().setType("bind").setSource("/no/such/dir").addOptions("rbind").build();
    String seen = Differential.same(shim -> {
      var bundle = BED.shims().bundleOn("rootfs", Names.id("mounts"), "true");
      try (var task = BED.shims().start(shim, bundle)) {
        String error = failure(() -> task.create(request -> request.addRootfs(good).addRootfs(bad)));
        assertEquals(List.of(), Mounts.below(bundle.path().toString()));
        return Differential.plain(error, task.id());
      }
    });
    assertTrue(seen.contains("failed to mount rootfs component") && seen.contains("/no/such/dir"), seen);
  }

  private static String createAfter(Damage damage) {
    String seen = Differential.same(shim -> {
      String id = Names.id("bundle");
      var bundle = BED.shims().bundle(id, "true");
      try {
        damage.to(bundle.path());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      try (var task = BED.shims().start(shim, bundle)) {
        String created = failure(() -> task.create());
        return Differential.plain(created + " / " + failure(() -> task.state("")), id);
      }
    });
    assertTrue(seen.startsWith("2 OCI runtime create failed"), seen);
    return seen;
  }
}
