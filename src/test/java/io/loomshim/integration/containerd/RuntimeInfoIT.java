package io.loomshim.integration.containerd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OciRuntime;
import io.loomshim.integration.harness.Shim;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What containerd 2 asks a shim about itself and its runtime. */
final class RuntimeInfoIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final Shim SHIM = Shim.tested();
  private static final Pattern IDMAP = Pattern.compile("\"idmap\":\\s*\\{\\s*\"enabled\":\\s*true");

  @BeforeEach
  void needsContainerd2() {
    Shim.assumeOurs("the Go shims before 2 are not asked");
    assumeTrue(Containerd.version()[0] >= 2, "needs containerd 2, which rows of integration/matrix.tsv have");
  }

  private static String told() {
    var words = new ArrayList<>(List.of("plugins", "inspect-runtime", "--runtime", SHIM.runtime()));
    words.addAll(OciRuntime.flags(SHIM, BED.directory()));
    return BED.ctr().call(words.toArray(String[]::new)).ok().text();
  }

  @Test
  void containerdKnowsTheNameOfTheShimAndTheFeaturesOfItsRuntime() {
    String told = told();
    assertTrue(told.contains("\"Name\": \"" + SHIM.runtime() + "\""), told);
    assertEquals(OciRuntime.features().contains("ociVersionMin"), told.contains("ociVersionMin"), told);
  }

  @Test
  void aContainerWithAnIdMappedMountIsLetThroughIfItsRuntimeCanDoThat() throws IOException {
    String id = Names.id("mapped");
    String map = "[{\"containerID\": 0, \"hostID\": 1000, \"size\": 10}]";
    String mount = "{\"destination\": \"/tmp\", \"type\": \"bind\", \"source\": \"" + BED.directory()
        + "\", \"options\": [\"bind\"], \"uidMappings\": " + map + ", \"gidMappings\": " + map + "},";
    String config = Bundle.config(BED.rootfs().toString(), "/" + BED.ctr().namespace() + "/" + id, "true")
        .replace("\"mounts\": [", "\"mounts\": [" + mount);
    Path file = Files.writeString(BED.directory().resolve("mapped.json"), config);
    var result = BED.ctr().run(SHIM, List.of("--rm", "--config", file.toString()), id);
    boolean refused = result.errors().contains("failed to validate OCI runtime features");
    assertEquals(IDMAP.matcher(OciRuntime.features()).find(), !refused, result::toString);
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
