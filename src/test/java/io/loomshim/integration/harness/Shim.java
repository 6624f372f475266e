package io.loomshim.integration.harness;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** A shim by the name of its runtime, as {@code ctr --runtime} takes it. */
public record Shim(String runtime) {
  /** Whether this machine has cgroup v2 alone: {@code integration/cgroup2/run.sh} starts one. */
  public static final boolean UNIFIED = Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers"));

  private static final String OURS = "io.containerd.loom.v1";

  /** The shim that the tests are about: system property {@code loomshim.runtime}, ours when absent. */
  public static Shim tested() {
    return new Shim(System.getProperty("loomshim.runtime", OURS));
  }

  /**
   * The Go shim that ours is measured by; the older one knows neither statistics nor memory events of cgroup v2, and
   * ctr gives it no other runtime than runc.
   */
  public static Shim reference() {
    boolean second = UNIFIED || !OciRuntime.program().equals("runc");
    return new Shim(second ? "io.containerd.runc.v2" : "io.containerd.runc.v1");
  }

  public boolean ours() {
    return runtime.equals(OURS);
  }

  /** Skips the running test unless it is about our shim. */
  public static void assumeOurs(String reason) {
    assumeTrue(tested().ours(), "only for " + OURS + ": " + reason);
  }

  /** The program that containerd starts for this runtime. */
  public Path program() {
    String[] parts = runtime.split("\\.");
    String name = "containerd-shim-" + parts[parts.length - 2] + "-" + parts[parts.length - 1];
    return ours() ? Install.get().bin().resolve(name) : Path.of("/usr/bin", name);
  }

  /** For file names and test names. */
  @Override
  public String toString() {
    return runtime;
  }
}
