package io.loomshim.process;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Finds programs the way a shell does. Stateless. */
public final class Programs {
  private Programs() {}

  /**
   * The first executable file called {@code name} in the directories of {@code path}, a list with colons. Relative
   * directories do not count: they would depend on where the daemon works.
   */
  public static Optional<Path> find(String name, String path) {
    for (String directory : path.split(":")) {
      if (directory.startsWith("/")) {
        Path program = Path.of(directory, name);
        if (Files.isRegularFile(program) && Files.isExecutable(program)) {
          return Optional.of(program);
        }
      }
    }
    return Optional.empty();
  }
}
