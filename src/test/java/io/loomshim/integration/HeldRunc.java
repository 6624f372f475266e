package io.loomshim.integration;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The real runc, whose first call of one command waits until the test lets it go on. Used from one thread. */
final class HeldRunc {
  private final FaultyRunc runc;
  private final Path configuration;

  /** Makes it in {@code directory}; {@code command} is create, start, exec or delete. */
  HeldRunc(Path directory, String command) {
    runc = FaultyRunc.make(directory, command, """
        if mkdir "$0.held" 2> /dev/null; then
          while [ ! -e "$0.go" ]; do sleep 0.02; done
        fi
        exec $runc "$@"
        """);
    configuration = runc.beside("toml");
    write(configuration, "BinaryName = \"" + runc.program() + "\"\n");
  }

  /** The flags of {@code ctr run} that choose it. */
  List<String> flags(Shim shim) {
    return shim.ours()
        ? List.of("--runtime-config-path", configuration.toString())
        : List.of("--runc-binary", runc.program().toString());
  }

  void awaitHeld() {
    Await.until(runc.program() + " is held", () -> Files.exists(runc.beside("held")));
  }

  void release() {
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
