package io.loomshim.integration;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Runs the script that makes our shim a runtime of CRI in a configuration of containerd. */
final class Configure {
  private static final Path SCRIPT = Path.of("packaging/kubernetes/configure.sh").toAbsolutePath();

  private Configure() {}

  static Exec.Result run(Path configuration, String... arguments) {
    var command = new ArrayList<>(List.of("bash", SCRIPT.toString(), "--config", configuration.toString(),
        "--containerd", Containerd.PROGRAM.toString()));
    command.addAll(List.of(arguments));
    return Exec.start(Scratch.BASE, new Exec.Setting(Scratch.BASE, Map.of()), command).await(Ctr.LIMIT);
  }
}
