package io.loomshim.integration.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.FaultyRunc;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.ShimClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** gVisor's runtime behind a runc shim. Its gofer becomes a child of the shim, and its delete waits for that to end. */
final class RunscIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final String PROGRAM = System.getenv().getOrDefault("LOOMSHIM_RUNSC", "");

  /** runsc with what it needs on a machine without KVM and with two versions of cgroups. */
  private static FaultyRunc runsc() throws IOException {
    assumeTrue(!PROGRAM.isEmpty() && Files.isExecutable(Path.of(PROGRAM)), "no runsc here: LOOMSHIM_RUNSC names none");
    Path program = BED.directory().resolve(Names.id("runsc"));
    Files.writeString(program, "#!/bin/sh\nexec " + PROGRAM
        + " --platform=ptrace --network=none --ignore-cgroups \"$@\"\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    return new FaultyRunc(program);
  }

  @Test
  void aLifeInASandboxEndsInOrder() throws IOException {
    var runsc = runsc();
    var seen = Differential.same(shim -> {
      var bundle = BED.shims().bundle(Names.id("runsc"), "sh", "-c", "sleep 1000");
      try (var task = BED.shims().start(shim, bundle, runsc.options())) {
        task.create();
        task.start();
        task.exec("e1", "sh", "-c", "exit 3");
        task.start("e1");
        int exec = task.await("e1").getExitStatus();
        task.delete("e1");
        String state = task.state("").getStatus().toString();
        task.kill(ShimClient.KILL, "");
        int status = task.await("").getExitStatus();
        return List.of(exec, state, status, task.delete("").getExitStatus());
      }
    });
    assertEquals(List.of(3, "RUNNING", 137, 137), seen);
  }
}
