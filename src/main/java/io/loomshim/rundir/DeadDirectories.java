package io.loomshim.rundir;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.FileLock;
import io.loomshim.log.Log;
import io.loomshim.record.RecordFile;
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
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Removes run directories that belong to no living daemon, and keeps the newest logs and records of ended daemons. A
 * daemon that has decided to end removes its own directory. A daemon that starts removes those of daemons that were
 * killed.
 *
 * <p>A directory is removed only when all of this holds:
 *
 * <ul>
 *   <li>its {@code lock} is free: a launcher holds it while it starts a daemon;
 *   <li>the lock on the directory itself is free: every living daemon shares it, one in another pid namespace too;
 *   <li>no process lives that its files name;
 *   <li>no lease in it is valid: a launcher makes the directory and its lease before it asks for {@code lock}.
 * </ul>
 *
 * <p>A launcher that comes in between finds that the file it has locked is no longer in the directory, and begins again
 * ({@code start_daemon} in cold.sh).
 *
 * <p>Stateless. Runs on any thread; waits for the file system of the run directory, which is a tmpfs.
 */
public final class DeadDirectories {
  /** How long one sweep may take; the sweep of the next daemon does the rest. */
  static final Duration SWEEP_MAX = Duration.ofSeconds(2);

  /** When the sweep begins after the start of a daemon, which has a container to create first. */
  static final Duration SWEEP_DELAY = Duration.ofSeconds(1);

  /** How many logs of ended daemons are kept. */
  static final int LOGS_MAX = 8;

  /** The directory for these logs, beside the run directories. */
  static final String LOGS = "ended";

  private DeadDirectories() {}

  /** Removes the directories of killed daemons beside {@code own}. Runs on the thread {@code sweep} after a start. */
  public static void sweepLater(Path own) {
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
    try (DirectoryStream<Path> all = Files.newDirectoryStream(own.getParent())) {
      for (Path directory : all) {
        if (System.nanoTime() - end > 0) {
          return;
        }
        if (RunLinks.dangling(directory)) {
          Files.deleteIfExists(directory);
        } else if (named(directory) && !Files.isSymbolicLink(directory) && !directory.equals(own)) {
          tryRemove(directory);
        }
      }
    } catch (IOException e) {
      Log.warn("failed to sweep run directories", "error", String.valueOf(e.getMessage()));
    }
  }

  /**
   * Removes {@code own}, the directory of a daemon that ends and has given up its share of the lock. A directory that
   * is in use again stays.
   */
  public static void removeOwn(Path own) {
    try {
      Path real = own.toRealPath(); // the launcher may have come by a link
      if (named(real)) {
        tryRemove(real);
      }
    } catch (IOException e) {
      // it is gone already
    }
  }

  /** Whether it has a name that a launcher makes, {@code BUILD@…}; other directories are left alone. */
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
      // a launcher starts a daemon there, or a daemon lives there, or the directory is gone
    } catch (IOException e) {
      Log.warn("failed to remove a run directory", "path", directory.toString(),
          "error", String.valueOf(e.getMessage()));
    }
  }

  /** Whether a daemon lives that its files name: the one in the record, or an older one with containers left. */
  private static boolean lives(Path directory) {
    try {
      Optional<DaemonRecord> daemon = DaemonRecord.parse(Files.readString(directory.resolve(RunDirectory.RECORD)));
      if (daemon.isPresent() && daemon.get().lives()) {
        return true;
      }
    } catch (NoSuchFileException e) {
      // the daemon has withdrawn its record, or never written one
    } catch (IOException e) {
      return true; // unreadable: leave it alone
    }
    for (Path file : list(directory)) {
      Optional<DaemonRecord> daemon = DaemonRecord.ofSocket(file);
      if (daemon.isPresent() && daemon.get().lives()) {
        return true;
      }
    }
    return false;
  }

  /** Whether a valid lease is in it, or an answer for {@code delete} that an earlier version left there. */
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

  /** Removes the leases first: if a launcher drops a lease meanwhile, the removal fails and the rest stays. */
  private static void remove(Path directory) throws IOException {
    RunLinks.remove(directory); // a launcher that came by one finds that its lease is gone, and begins again
    for (String name : new String[] {"leases", "deleted", "removed"}) {
      removeWithFiles(directory.resolve(name));
    }
    for (Path program : list(directory.resolve("programs"))) {
      removeWithFiles(program);
    }
    Files.deleteIfExists(directory.resolve("programs"));
    for (Path file : list(directory)) {
      if (kept(file) && Files.size(file) > 0) {
        keep(file);
      } else if (!file.endsWith("lock")) {
        Files.deleteIfExists(file);
      }
    }
    Files.deleteIfExists(directory.resolve("lock"));
    Files.deleteIfExists(directory);
  }

  private static void removeWithFiles(Path inner) throws IOException {
    for (Path file : list(inner)) {
      Files.deleteIfExists(file);
    }
    Files.deleteIfExists(inner);
  }

  private static boolean kept(Path file) {
    return isLog(file) || RecordFile.NAMES.contains(file.getFileName().toString());
  }

  private static boolean isLog(Path file) {
    return file.getFileName().toString().contains(".log");
  }

  /**
   * The records of daemons that were killed, the latest first: in the run directories below {@code directory}, and of
   * those whose directories are gone. A record of a living daemon may be among them.
   *
   * @throws IOException when the directory cannot be read
   */
  public static List<Path> records(Path directory) throws IOException {
    var records = new ArrayList<Path>();
    for (Path run : list(directory)) {
      if (Files.isSymbolicLink(run)) {
        continue;
      }
      for (Path file : list(run)) {
        String name = file.getFileName().toString();
        boolean old = run.endsWith(LOGS) && !isLog(file);
        if (old || RecordFile.NAMES.contains(name)) {
          records.add(file);
        }
      }
    }
    records.sort(Comparator.comparing(DeadDirectories::modified).reversed());
    return records;
  }

  /** Of logs and of records the newest stay. */
  private static void keep(Path file) throws IOException {
    Path run = file.getParent();
    Path logs = Files.createDirectories(run.resolveSibling(LOGS));
    Path kept = logs.resolve(run.getFileName() + "." + file.getFileName());
    Files.move(file, kept, StandardCopyOption.REPLACE_EXISTING);
    List<Path> all = list(logs);
    all.removeIf(other -> isLog(other) != isLog(file));
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
      for (Path file : stream) {
        files.add(file);
      }
    } catch (IOException e) {
      // not there
    }
    return files;
  }
}
