package io.loomshim.rundir;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.FileLock;
import io.loomshim.linux.WholeFile;
import io.loomshim.log.Log;
import io.loomshim.proto.task.DeleteResponse;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/**
 * The run directory of one daemon, through which launcher and daemon work together; only root may enter it.
 *
 * <ul>
 *   <li>{@code lock}: held by a launcher that starts a daemon, and by the daemon while it decides to end;
 *   <li>{@code daemon}: the {@link DaemonRecord} of the daemon that takes new containers;
 *   <li>{@code leases/ID}: a container for which {@code start} has named this daemon and no Create has come yet;
 *   <li>{@code removed/ID}: a container that the launcher's {@code delete} has removed itself.
 * </ul>
 *
 * <p>A daemon shares a lock on the directory itself for as long as it lives; see {@link DeadDirectories}. Why there is
 * no third case between a start and an ending daemon: docs/decisions/0004-a-warm-start-takes-a-lease.md.
 *
 * <p>Methods may be called from any thread.
 */
public final class RunDirectory {
  /** A lease lapses after this time: no Create comes so long after its start. */
  static final Duration LEASE_AGE_MAX = Duration.ofSeconds(60);

  /** The file with the {@link DaemonRecord}. */
  static final String RECORD = "daemon";

  private final Path path;

  /** Makes an object for the directory {@code path}, which need not exist yet. */
  public RunDirectory(Path path) {
    this.path = path;
  }

  /** The directory itself. */
  public Path path() {
    return path;
  }

  /** The directory of marks for containers that {@code delete} has removed itself. */
  public Path removed() {
    return path.resolve("removed");
  }

  /** Makes the directories that the launcher has not made. */
  public void prepare() throws IOException {
    Files.createDirectories(leases());
    Files.createDirectories(removed());
  }

  private Path leases() {
    return path.resolve("leases");
  }

  private Path record() {
    return path.resolve(RECORD);
  }

  /**
   * Takes {@code lock}; waits while a launcher holds it, which is as long as a daemon starts.
   *
   * @throws ErrnoException when the file cannot be opened
   */
  public FileLock lock() throws ErrnoException {
    return FileLock.take(path.resolve("lock"));
  }

  /**
   * Writes the record of {@code daemon}: new containers go to it from now on. A daemon that takes over needs no room
   * for that, as there is the record of the daemon before.
   */
  public void publish(DaemonRecord daemon) throws IOException {
    WholeFile.renew(record(), daemon.line() + "\n");
  }

  /** Removes the record of {@code daemon}, unless it names another daemon by now. */
  public void withdraw(DaemonRecord daemon) throws IOException {
    try {
      if (Files.readString(record()).equals(daemon.line() + "\n")) {
        Files.deleteIfExists(record());
      }
    } catch (NoSuchFileException e) {
      // removed already
    }
  }

  /** Whether there is a valid lease; removes those that have lapsed. */
  public boolean leased() throws IOException {
    boolean fresh = false;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(leases())) {
      for (Path lease : files) {
        try {
          Instant dropped = Files.getLastModifiedTime(lease).toInstant();
          if (dropped.plus(LEASE_AGE_MAX).isBefore(Instant.now())) {
            Files.deleteIfExists(lease);
          } else {
            fresh = true;
          }
        } catch (NoSuchFileException e) {
          // its Create has come, or its launcher has given up
        }
      }
    } catch (NoSuchFileException e) {
      // the directory has been removed, and no launcher can drop a lease in it
    }
    return fresh;
  }

  /** Whether there is a lease for the container {@code id}, valid or lapsed. */
  public boolean leased(String id) {
    return Files.exists(leases().resolve(id));
  }

  /**
   * Writes {@code address}, {@code shim.pid} and {@code loom.run} into a bundle for which no {@code start} has done so:
   * containerd 2 sends the containers of a sandbox straight to the sandbox's shim. A failure is logged.
   */
  public void writeAddress(Path bundle, DaemonRecord daemon) {
    Path run = bundle.resolve("loom.run");
    if (Files.exists(run) || !Files.isDirectory(bundle)) {
      return; // the usual case; Create reports a missing bundle itself
    }
    try {
      WholeFile.write(bundle.resolve("address"), daemon.address());
      WholeFile.write(bundle.resolve("shim.pid"), Long.toString(daemon.pid()));
      WholeFile.write(run, path + "\n");
    } catch (IOException e) {
      remove(bundle.resolve("address")); // all or none: with none, only the sandbox's shim knows this bundle
      remove(bundle.resolve("shim.pid"));
      Log.warn("failed to mark the bundle", "path", bundle.toString(), "error", String.valueOf(e.getMessage()));
    }
  }

  /**
   * Removes {@code address} from a bundle whose container is gone. A containerd that restarts runs {@code delete} for a
   * bundle without an address. It takes a bundle whose address answers for a container (runtime/v2/shim.go, loadShim,
   * 1.4 to 1.6).
   */
  public void removeAddress(Path bundle) {
    remove(bundle.resolve("address"));
  }

  /** Removes the lease of the container {@code id}, whose Create has come. */
  public void created(String id) {
    remove(leases().resolve(id));
  }

  /**
   * Writes {@code response} into the bundle as {@code loom.deleted}, for the {@code delete} that follows. It goes when
   * containerd removes the bundle. A failure is logged.
   */
  public void deleted(Path bundle, DeleteResponse response) {
    try {
      WholeFile.write(bundle.resolve("loom.deleted"), octal(response.toByteArray()) + "\n");
    } catch (IOException e) {
      Log.warn("failed to record the answer for delete", "path", bundle.toString(),
          "error", String.valueOf(e.getMessage()));
    }
  }

  /** Whether {@code delete} has marked {@code id} as removed; removes the mark. */
  public boolean takeRemoved(String id) {
    try {
      return Files.deleteIfExists(removed().resolve(id));
    } catch (IOException e) {
      Log.warn("failed to read the mark of a removal", "id", id, "error", String.valueOf(e.getMessage()));
      return false;
    }
  }

  void remove(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      Log.warn("failed to remove a file", "path", file.toString(), "error", String.valueOf(e.getMessage()));
    }
  }

  /** Each byte as a backslash and three octal digits, which a shell's printf turns back into bytes. */
  static String octal(byte[] bytes) {
    var text = new StringBuilder(4 * bytes.length);
    for (byte b : bytes) {
      int value = b & 0xff;
      text.append('\\');
      text.append((char) ('0' + (value >> 6)));
      text.append((char) ('0' + (value >> 3 & 7)));
      text.append((char) ('0' + (value & 7)));
    }
    return text.toString();
  }
}
