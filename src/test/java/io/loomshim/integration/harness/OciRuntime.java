package io.loomshim.integration.harness;

import com.google.protobuf.Any;
import io.loomshim.proto.runc.Options;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The OCI runtime that the tests run containers with: system property {@code loomshim.oci}, a name in the PATH or a
 * path, given in the options of every container; when it is absent, the runc in the PATH and no options.
 */
public final class OciRuntime {
  private static final Optional<String> NAMED = Optional.ofNullable(System.getProperty("loomshim.oci"));

  private OciRuntime() {}

  /** What a script calls. */
  public static String program() {
    return NAMED.orElse("runc");
  }

  /** What it says of itself, beginning with its name. */
  public static String version() {
    var setting = new Exec.Setting(Scratch.BASE, Map.of("PATH", Containerd.path()));
    return Exec.start(Scratch.BASE, setting, List.of("env", program(), "--version")).await(Await.LIMIT).ok().text();
  }

  /** The options that choose it, for {@code start} and Create; the same for our shim and for the Go shims. */
  public static Optional<Any> options() {
    return NAMED.map(name ->
        Shims.any("containerd.runc.v1.Options", Options.newBuilder().setBinaryName(name).build()));
  }

  /** The flags of {@code ctr run} that choose it: only the Go shims have one of their own. */
  public static List<String> flags(Shim shim, Path scratch) {
    if (NAMED.isEmpty()) {
      return List.of();
    }
    if (!shim.ours()) {
      return List.of("--runc-binary", NAMED.get());
    }
    try {
      Path file = scratch.resolve("runtime.toml");
      if (!Files.exists(file)) {
        Files.writeString(file, "BinaryName = \"" + NAMED.get() + "\"\n");
      }
      return List.of("--runtime-config-path", file.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What it tells of itself; empty when it knows no such command. */
  public static String features() {
    var setting = new Exec.Setting(Scratch.BASE, Map.of("PATH", Containerd.path()));
    var result = Exec.start(Scratch.BASE, setting, List.of("sh", "-c", "exec " + program() + " features"))
        .await(Ctr.LIMIT);
    return result.exit() == 0 ? result.text() : "";
  }
}
