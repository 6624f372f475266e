package io.loomshim.integration;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** The real runc, whose first call of one command waits until the test lets it go on. Used from one thread. */
final class HeldRunc {
  private final Path directory;
  private final Path program;

  /** Makes it in {@code parent}; {@code command} is create, start, exec or delete. */
  HeldRunc(Path parent, String command) {
    try {
      directory = Files.createTempDirectory(parent, "held");
      program = directory.resolve("runc");
      Files.writeString(program, """
          #!/bin/sh
          case " $* " in *' %1$s '*)
            if mkdir '%2$s/held' 2> /dev/null; then
              while [ ! -e '%2$s/go' ]; do sleep 0.02; done
            fi ;;
          esac
          exec runc "$@"
          """.formatted(command, directory));
      Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Path program() {
    return program;
  }

  void awaitHeld() {
    Await.until(program + " is held", () -> Files.exists(directory.resolve("held")));
  }

  void release() {
    try {
      Files.createFile(directory.resolve("go"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
