package io.loomshim.daemon;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.FileLock;
import io.loomshim.linux.Processes;
import io.loomshim.log.Log;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Removes run directories that belong to no living daemon, and keeps the newest words of the dead: a daemon that has
 * decided to end removes its own, and each that starts those of daemons that were killed.
 *
 * <p>A directory goes only when nobody holds its {@code lock}, as a launcher does that starts a daemon; nobody shares
 * the lock on the directory itself, as every daemon does; no process that its files name lives; and nothing in it is
 * younger than a lease can be: a launcher makes the directory and its lease before it asks for the lock. One that comes
 * in between finds that the file it has locked is not there any more, and begins again ({@code cold} in slow.sh).
 *
 * <p>Stateless; may be run by any thread, holds it while the files are looked at.
 */
final class DeadDirectories {
  /** How long one sweep may take; the next goes on. */
  static final Duration SWEEP_MAX = Duration.ofSeconds(2);

  /** A daemon that starts has a container to create first. */
  static final Duration SWEEP_DELAY = Duration.ofSeconds(1);

  /** As many logs of ended daemons are kept. */
  static final int LOGS_MAX = 8;

  /** Where they are, beside the run directories. */
  static final String LOGS = "ended";

  private DeadDirectories() {}

  /** The story of the thread {@code sweep} of a daemon that has just started. */
  static void sweepLater(Path own) {
    try {
      TimeUnit.NANOSECONDS.sleep(SWEEP_DELAY.toNanos());
      sweep(own);
    } catch (InterruptedException e) {
      // the daemon ends; the next one sweeps
    }
  }

  /** Looks at all directories beside {@code own}. */
  static void sweep(Path own) {
    if (!named(own)) {
      return;
    }
    long end = System.nanoTime() + SWEEP_MAX.toNanos();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(own.getParent(), DeadDirectories::named)) {
      for (Path directory : all) {
        if (System.nanoTime() - end > 0) {
          return;
        }
        if (!directory.equals(own)) {
          tryRemove(directory);
        }
      }
    } catch (IOException e) {
      Log.warn("run directories not swept", "error", String.valueOf(e.getMessage()));
    }
  }

  /** Removes {@code own}, whose daemon ends and has given up its share of the lock, unless somebody needs it again. */
  static void removeOwn(Path own) {
    if (named(own)) {
      tryRemove(own);
    }
  }

  /** Whether a launcher gave it its name: BUILD@…; nothing else is touched. */
  private static boolean named(Path directory) {
    return directory.getFileName().toString().indexOf('@') > 0;
  }

  private static void tryRemove(Path directory) {
    if (!Files.isDirectory(directory.resolve("leases")) || lives(directory) || fresh(directory)) {
      return; // without the lock, which would make a launcher wait
    }
    try (FileLock launchers = FileLock.tryTake(directory.resolve("lock"));
        FileLock daemons = FileLock.tryTakeDirectory(directory)) {
      assert launchers != null && daemons != null;
      if (!lives(directory) && !fresh(directory)) {
        remove(directory);
      }
    } catch (ErrnoException e) {
      // somebody starts a daemon there, or has one; or it is gone
    } catch (IOException e) {
      Log.warn("run directory not removed", "path", directory.toString(), "error", String.valueOf(e.getMessage()));
    }
  }

  /** Whether a daemon lives that it names: the one that takes containers, or one that only has some left. */
  private static boolean lives(Path directory) {
    try {
      String[] words = Files.readString(directory.resolve("daemon")).split(" ", 3);
      if (words.length == 3 && Processes.lives(words[0], words[1])) {
        return true;
      }
    } catch (NoSuchFileException e) {
      // it has ended in order, or never begun
    } catch (IOException e) {
      return true; // not to be judged
    }
    for (Path file : list(directory)) {
      String name = file.getFileName().toString();
      if (name.endsWith(".sock") && name.indexOf('-') > 0) {
        String[] words = name.substring(0, name.length() - ".sock".length()).split("-", 2);
        if (Processes.lives(words[0], words[1])) {
          return true;
        }
      }
    }
    return false;
  }

  /** Whether anybody may still come for what is in it: a Create for a lease, a delete for an answer of old. */
  private static boolean fresh(Path directory) {
    Instant since = Instant.now().minus(RunDirectory.LEASE_AGE_MAX);
    for (String name : new String[] {"leases", "deleted"}) {
      for (Path file : list(directory.resolve(name))) {
        if (modified(file).toInstant().isAfter(since)) {
          return true;
        }
      }
    }
    return false;
  }

  /** Leases first: where one has just been dropped, the rest stays. */
  private static void remove(Path directory) throws IOException {
    for (String name : new String[] {"leases", "deleted", "removed"}) {
      Path inner = directory.resolve(name);
      for (Path file : list(inner)) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(inner);
    }
    for (Path file : list(directory)) {
      if (file.getFileName().toString().contains(".log") && Files.size(file) > 0) {
        keep(file);
      } else if (!file.endsWith("lock")) {
        Files.deleteIfExists(file);
      }
    }
    Files.deleteIfExists(directory.resolve("lock"));
    Files.deleteIfExists(directory);
  }

  private static void keep(Path log) throws IOException {
    Path run = log.getParent();
    Path logs = Files.createDirectories(run.resolveSibling(LOGS));
    Path kept = logs.resolve(run.getFileName() + "." + log.getFileName());
    Files.move(log, kept, StandardCopyOption.REPLACE_EXISTING);
    List<Path> all = list(logs);
    all.sort(Comparator.comparing(DeadDirectories::modified).reversed());
    for (Path old : all.subList(Math.min(LOGS_MAX, all.size()), all.size())) {
      Files.deleteIfExists(old);
    }
  }

  private static FileTime modified(Path file) {
    try {
      return Files.readAttributes(file, BasicFileAttributes.class).lastModifiedTime();
    } catch (IOException e) {
      return FileTime.fromMillis(0); // gone
    }
  }

  private static List<Path> list(Path directory) {
    var files = new ArrayList<Path>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      stream.forEach(files::add);
    } catch (IOException e) {
      // not there
    }
    return files;
  }
}
