package io.loomshim.rundir;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A daemon that runs, found by the record in its run directory.
 *
 * @param run its run directory
 * @param pid its process
 * @param socket the path of the socket that it listens on
 */
public record LivingDaemon(Path run, long pid, Path socket) {
  /**
   * The daemons whose run directories are in {@code directory}, sorted by name; none when it does not exist.
   *
   * @throws IOException when it cannot be read
   */
  public static List<LivingDaemon> all(Path directory) throws IOException {
    var runs = new ArrayList<Path>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        if (!Files.isSymbolicLink(entry)) { // another name of one of them
          runs.add(entry);
        }
      }
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    }
    runs.sort(null);
    var found = new ArrayList<LivingDaemon>();
    for (Path run : runs) {
      in(run).ifPresent(found::add);
    }
    return found;
  }

  /**
   * The daemon whose run directory is {@code run}; empty when none runs there.
   *
   * @throws IOException when the record cannot be read
   */
  public static Optional<LivingDaemon> in(Path run) throws IOException {
    Optional<DaemonRecord> daemon;
    try {
      daemon = DaemonRecord.parse(Files.readString(run.resolve(RunDirectory.RECORD)));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      if (!Files.isDirectory(run)) {
        return Optional.empty();
      }
      throw e;
    }
    if (daemon.isEmpty() || !daemon.get().lives()) {
      return Optional.empty();
    }
    return Optional.of(new LivingDaemon(run, daemon.get().pid(), daemon.get().socket()));
  }
}
