package io.loomshim.rundir;

import io.loomshim.log.Log;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Other names of a run directory. The name of one begins with a build, so the launchers of the next build look
 * elsewhere. A daemon of that build that has taken over stays where the daemon before was, as clients know the socket
 * there; a link with the name that its launchers look for leads them to it. Stateless; any thread.
 */
public final class RunLinks {
  private RunLinks() {}

  /**
   * Makes {@code directory} known by the name that launchers of {@code build} look for, unless another one has it: then
   * a daemon of that build is there already, and new containers go to that. A failure is logged.
   */
  public static void make(Path directory, String build) {
    try {
      Path real = directory.toRealPath();
      String name = real.getFileName().toString();
      int at = name.indexOf('@');
      if (build.isEmpty() || at <= 0 || name.startsWith(build + "@")) {
        return;
      }
      Path link = real.resolveSibling(build + name.substring(at));
      if (dangling(link)) {
        Files.deleteIfExists(link);
      }
      Files.createSymbolicLink(link, real.getFileName());
    } catch (FileAlreadyExistsException e) {
      Log.debug("a run directory of this build is there already", "path", String.valueOf(e.getMessage()));
    } catch (IOException e) {
      Log.warn("new containers go to another daemon", "error", String.valueOf(e.getMessage()));
    }
  }

  /** Whether {@code path} is a link to a directory that is gone. */
  static boolean dangling(Path path) {
    return Files.isSymbolicLink(path) && !Files.exists(path);
  }

  /** Removes the other names of {@code directory}. */
  static void remove(Path directory) throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory.toAbsolutePath().getParent())) {
      for (Path path : all) {
        if (Files.isSymbolicLink(path) && Files.readSymbolicLink(path).equals(directory.getFileName())) {
          Files.deleteIfExists(path);
        }
      }
    }
  }
}
