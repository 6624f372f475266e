package io.loomshim.integration.harness;

import com.google.protobuf.Any;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The real runc, whose first call of each of some commands waits until the test lets it go on. */
public final class HeldRunc {
  private final FaultyRunc runc;
  private final String first;
  private final Path configuration;

  /** Makes it in {@code directory}; {@code commands} are of create, start, exec and delete. */
  public HeldRunc(Path directory, String... commands) {
    first = commands[0];
    runc = FaultyRunc.make(directory.resolve(Names.id("held-runc")), List.of(commands), """
        for word in "$@"; do case $word in create|start|exec|delete) break ;; esac; done
        if mkdir "$0.held-$word" 2> /dev/null; then
          while [ ! -e "$0.go" ]; do sleep 0.02; done
        fi
        exec $runc "$@"
        """);
    configuration = runc.beside("toml");
    write(configuration, "BinaryName = \"" + runc.program() + "\"\n");
  }

  /** The flags of {@code ctr run} that choose it. */
  public List<String> flags(Shim shim) {
    return shim.ours()
        ? List.of("--runtime-config-path", configuration.toString())
        : List.of("--runc-binary", runc.program().toString());
  }

  /** What names it in a Create. */
  public Optional<Any> options() {
    return runc.options();
  }

  /** Waits until it is called for the first one of the commands. */
  public void awaitHeld() {
    Await.until(runc.program() + " is held", () -> Files.exists(runc.beside("held-" + first)));
  }

  public void release() {
    write(runc.beside("go"), "");
  }

  private static void write(Path file, String content) {
    try {
      Files.writeString(file, content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
