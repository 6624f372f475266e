package io.loomshim.inspect;

import io.loomshim.linux.Processes;
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
 * A daemon that runs, as its file in the run directory tells.
 *
 * @param run its run directory
 * @param pid its process
 * @param socket where it listens
 */
record Found(Path run, long pid, Path socket) {
  private static final String SCHEME = "unix://";

  /** Those in {@code directory}, by name; none when it does not exist. */
  static List<Found> all(Path directory) throws IOException {
    var runs = new ArrayList<Path>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      entries.forEach(runs::add);
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    }
    runs.sort(null);
    var found = new ArrayList<Found>();
    for (Path run : runs) {
      in(run).ifPresent(found::add);
    }
    return found;
  }

  /** The one whose run directory is {@code run}; nothing when none runs there. */
  static Optional<Found> in(Path run) throws IOException {
    String[] words;
    try {
      words = Files.readString(run.resolve("daemon")).strip().split(" ", 3);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      if (!Files.isDirectory(run)) {
        return Optional.empty();
      }
      throw e;
    }
    if (words.length < 3 || !words[2].startsWith(SCHEME) || !Processes.lives(words[0], words[1])) {
      return Optional.empty();
    }
    return Optional.of(new Found(run, Long.parseLong(words[0]), Path.of(words[2].substring(SCHEME.length()))));
  }
}
