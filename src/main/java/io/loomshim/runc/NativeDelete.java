package io.loomshim.runc;

import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * {@code runc delete} of a stopped container without a process, as a step of {@link Aside}: removes its cgroups, then
 * its directory, {@code state.json} last, so that until then runc can do what is left (runc: {@code destroy} in
 * libcontainer/state_linux.go, {@code RemovePath} in cgroups/utils.go; alike from 1.0.0-rc93 to 1.5.1). runc takes no
 * lock. A step that has been given up stops before its next removal; it removes nothing of a container that has been
 * made anew, since it removes files by the directory that it has opened.
 *
 * @param ahead has the container's state
 * @param pid the init, which has been reaped
 * @param givenUp whether runc does it by now
 */
record NativeDelete(CommandRunner runner, KnownRuntimes known, StateAhead ahead, String id, int pid,
    AtomicBoolean givenUp) implements Aside.Step<Boolean> {
  /**
   * Pauses in milliseconds before further tries to remove a cgroup: the last process may have been reaped before the
   * kernel has taken it out. runc waits as long at first, and longer then.
   */
  private static final int[] PAUSES = {1, 2};

  /** Whether all is gone; false when runc must do the rest. */
  @Override
  public Boolean run() throws IOException, InterruptedException {
    if (!known.knows(runner, id)) {
      return false;
    }
    Path directory = runner.settings().root().resolve(id);
    Optional<RuncState> read = ahead.take();
    if (read.isEmpty() || !deletable(read.get())) {
      return false;
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      // Linux has no other kind
      return entries instanceof SecureDirectoryStream<Path> open && removed(read.get(), directory, open);
    }
  }

  private boolean deletable(RuncState state) throws IOException {
    return state.id().equals(id) && state.pid() == pid && state.special().isEmpty() && !state.lives()
        && !state.perhapsPaused();
  }

  private boolean removed(RuncState state, Path directory, SecureDirectoryStream<Path> entries)
      throws IOException, InterruptedException {
    var files = new ArrayList<Path>();
    for (Path entry : entries) {
      if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
        return false; // nothing of runc that is known here
      }
      if (!entry.getFileName().toString().equals(RuncState.FILE)) {
        files.add(entry.getFileName());
      }
    }
    files.add(Path.of(RuncState.FILE));
    for (Path cgroup : state.cgroups().values()) {
      if (givenUp.get() || !removed(cgroup)) {
        return false;
      }
    }
    for (Path file : files) {
      if (givenUp.get()) {
        return false;
      }
      entries.deleteFile(file);
    }
    return Files.deleteIfExists(directory);
  }

  private boolean removed(Path cgroup) throws InterruptedException {
    if (gone(cgroup)) {
      return true;
    }
    for (Path below : below(cgroup)) {
      if (givenUp.get() || !removed(below)) {
        return false;
      }
    }
    boolean gone = gone(cgroup);
    for (int i = 0; i < PAUSES.length && !gone && !givenUp.get(); i++) {
      Thread.sleep(PAUSES[i]);
      gone = gone(cgroup);
    }
    return gone;
  }

  private static boolean gone(Path cgroup) {
    if (!Files.isDirectory(cgroup, LinkOption.NOFOLLOW_LINKS)) {
      return !Files.exists(cgroup, LinkOption.NOFOLLOW_LINKS); // a link to a hierarchy is not removed
    }
    try {
      Files.deleteIfExists(cgroup);
      return true;
    } catch (IOException e) {
      return false; // it has processes, or cgroups below it; or runc will say why not
    }
  }

  private static List<Path> below(Path cgroup) {
    var found = new ArrayList<Path>();
    try (DirectoryStream<Path> children = Files.newDirectoryStream(cgroup)) {
      for (Path child : children) {
        if (Files.isDirectory(child, LinkOption.NOFOLLOW_LINKS)) {
          found.add(child);
        }
      }
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException | DirectoryIteratorException e) {
      return found; // what is left is runc's
    }
    return found;
  }
}
