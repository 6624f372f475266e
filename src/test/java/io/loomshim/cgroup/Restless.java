package io.loomshim.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A shell that makes cgroups below one, and removes them again, as fast as it can. */
record Restless(Path below) {
  private static final int ROUNDS = 1000;

  /** What is done meanwhile. */
  interface Look {
    void run() throws Exception;
  }

  /** Does {@code look} again and again while the cgroups come and go. */
  void during(Look look) throws Exception {
    String script = "cd " + below + "; i=0; while [ $i -lt " + ROUNDS
        + " ]; do mkdir a a/b; rmdir a/b a; i=$((i + 1)); done";
    Process shell = new ProcessBuilder("busybox", "sh", "-c", script).inheritIO().start();
    try {
      while (!shell.waitFor(0, TimeUnit.SECONDS)) {
        look.run();
      }
      assertEquals(0, shell.exitValue());
    } finally {
      shell.destroyForcibly().waitFor();
    }
  }
}
