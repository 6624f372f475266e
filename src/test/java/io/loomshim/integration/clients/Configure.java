package io.loomshim.integration.clients;

import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Scratch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Runs the script that makes our shim a runtime of CRI in a configuration of containerd. */
final class Configure {
  private static final Path SCRIPT = Path.of("packaging/kubernetes/configure.sh").toAbsolutePath();

  private Configure() {}

  /** Runs it as on a machine with our shim in its PATH. */
  static Exec.Result run(Path configuration, String... arguments) {
    var command = new ArrayList<>(List.of("bash", SCRIPT.toString(), "--config", configuration.toString(),
        "--containerd", Containerd.PROGRAM.toString()));
    command.addAll(List.of(arguments));
    var setting = new Exec.Setting(Scratch.BASE, Map.of("PATH", Containerd.path()));
    return Exec.start(Scratch.BASE, setting, command).await(Ctr.LIMIT);
  }
}
