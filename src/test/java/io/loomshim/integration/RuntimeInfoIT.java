package io.loomshim.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What containerd 2 asks a shim about itself and its runtime. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
final class RuntimeInfoIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final Pattern IDMAP = Pattern.compile("\"idmap\":\\s*\\{\\s*\"enabled\":\\s*true");

  @BeforeEach
  void containerd_2() {
    Shim.assumeOurs("the Go shims before 2 are not asked");
    assumeTrue(Containerd.version()[0] >= 2, "needs containerd 2, which rows of integration/matrix.tsv have");
  }

  /** What the runtime tells of itself; empty when it knows no such command. */
  private static String features() {
    var result = Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of("PATH", Containerd.path())),
        List.of("sh", "-c", "exec " + OciRuntime.program() + " features")).await(Ctr.LIMIT);
    return result.exit() == 0 ? result.text() : "";
  }

  private static String told() {
    var words = new ArrayList<>(List.of("plugins", "inspect-runtime", "--runtime", SHIM.runtime()));
    words.addAll(OciRuntime.flags(SHIM, BED.directory()));
    return BED.ctr().call(words.toArray(String[]::new)).ok().text();
  }

  @Test
  void containerd_knows_the_name_of_the_shim_and_the_features_of_its_runtime() {
    String told = told();
    assertTrue(told.contains("\"Name\": \"" + SHIM.runtime() + "\""), told);
    assertEquals(features().contains("ociVersionMin"), told.contains("ociVersionMin"), told);
  }

  @Test
  void a_container_with_an_id_mapped_mount_is_let_through_if_its_runtime_can_do_that() throws IOException {
    String id = Names.id("mapped");
    String map = "[{\"containerID\": 0, \"hostID\": 1000, \"size\": 10}]";
    String mount = "{\"destination\": \"/tmp\", \"type\": \"bind\", \"source\": \"" + BED.directory()
        + "\", \"options\": [\"bind\"], \"uidMappings\": " + map + ", \"gidMappings\": " + map + "},";
    String config = Bundle.config(BED.rootfs().toString(), "/" + BED.ctr().namespace() + "/" + id, "true")
        .replace("\"mounts\": [", "\"mounts\": [" + mount);
    Path file = Files.writeString(BED.directory().resolve("mapped.json"), config);
    var result = BED.ctr().run(SHIM, List.of("--rm", "--config", file.toString()), id);
    boolean refused = result.errors().contains("failed to validate OCI runtime features");
    assertEquals(IDMAP.matcher(features()).find(), !refused, result::toString);
    BED.ctr().deleteContainer(id);
    if (refused) {
      forget(id);
    }
  }

  /**
   * containerd looks at the features after {@code start}; when it then refuses the container, it neither runs
   * {@code delete} nor closes its connection. The latter ends with containerd, and the lease that {@code start} has
   * taken would lapse: {@code RunDirectoryTest}.
   */
  private static void forget(String id) throws IOException {
    BED.containerd().stop();
    BED.containerd().restart();
    for (var daemon : Install.get().daemons()) {
      Files.deleteIfExists(daemon.directory().resolve("leases").resolve(id));
    }
  }
}
