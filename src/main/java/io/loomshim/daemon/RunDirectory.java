package io.loomshim.daemon;

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
 * Where daemon and launcher meet; only root may enter it.
 *
 * <ul>
 *   <li>{@code lock}: held by a launcher that starts a daemon, and by the daemon while it decides to end;
 *   <li>{@code daemon}: {@code PID STARTTIME ADDRESS} of the daemon that takes new containers;
 *   <li>{@code leases/ID}: a container that has been promised to the daemon and has not called Create yet;
 *   <li>{@code removed/ID}: a container that {@code delete} has removed behind the daemon's back.
 * </ul>
 *
 * <p>A daemon shares a lock on the directory itself for as long as it lives: {@link DeadDirectories}.
 *
 * <p>Methods may be called from any thread.
 */
final class RunDirectory {
  /** A container that has not called Create this long after its start never will. */
  static final Duration LEASE_AGE_MAX = Duration.ofSeconds(60);

  private final Path path;

  RunDirectory(Path path) {
    this.path = path;
  }

  Path path() {
    return path;
  }

  Path removed() {
    return path.resolve("removed");
  }

  /** Makes what the launcher has not made. */
  void prepare() throws IOException {
    Files.createDirectories(leases());
    Files.createDirectories(removed());
  }

  private Path leases() {
    return path.resolve("leases");
  }

  private Path record() {
    return path.resolve("daemon");
  }

  /** Takes the lock against launchers; waits for one that is starting a daemon. */
  FileLock lock() throws ErrnoException {
    return FileLock.take(path.resolve("lock"));
  }

  /** Makes {@code line} the daemon that new containers go to. */
  void publish(String line) throws IOException {
    WholeFile.write(record(), line + "\n");
  }

  /** Takes {@code line} back, unless another daemon has taken its place. */
  void withdraw(String line) throws IOException {
    try {
      if (Files.readString(record()).equals(line + "\n")) {
        Files.deleteIfExists(record());
      }
    } catch (NoSuchFileException e) {
      // somebody has cleaned up
    }
  }

  /** Whether a container is promised to us; forgets promises that are too old to be kept. */
  boolean leased() throws IOException {
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
          // a Create has come, or its launcher has given up
        }
      }
    } catch (NoSuchFileException e) {
      // the directory has been removed: nobody can be promised to us
    }
    return fresh;
  }

  /** Whether the container {@code id} is promised to us, or was so long ago that it will never come. */
  boolean leased(String id) {
    return Files.exists(leases().resolve(id));
  }

  /**
   * Puts into the bundle of a container what {@code start} writes there, if no {@code start} has: containerd 2 sends
   * the containers of a sandbox straight to the sandbox's shim. {@code line} is what was published.
   */
  void introduce(Path bundle, String line) {
    Path run = bundle.resolve("loom.run");
    if (Files.exists(run) || !Files.isDirectory(bundle)) {
      return; // the usual case; or Create will say what is wrong
    }
    String[] words = line.split(" ", 3);
    try {
      WholeFile.write(bundle.resolve("address"), words[2]);
      WholeFile.write(bundle.resolve("shim.pid"), words[0]);
      WholeFile.write(run, path + "\n");
    } catch (IOException e) {
      remove(bundle.resolve("address")); // all or none: none is a bundle of which only its sandbox's shim knows
      remove(bundle.resolve("shim.pid"));
      Log.warn("bundle not marked", "path", bundle.toString(), "error", String.valueOf(e.getMessage()));
    }
  }

  /**
   * Takes our address out of a bundle: a containerd that is started anew runs {@code delete} for one without it, and
   * takes one with an address where somebody answers for a container (runtime/v2/shim.go, loadShim, 1.4 to 1.6).
   */
  void takeLeave(Path bundle) {
    remove(bundle.resolve("address"));
  }

  /** The container {@code id} is here: its lease is over. */
  void created(String id) {
    remove(leases().resolve(id));
  }

  /** Keeps {@code response} for the {@code delete} that follows, where it goes when containerd removes the bundle. */
  void deleted(Path bundle, DeleteResponse response) {
    try {
      WholeFile.write(bundle.resolve("loom.deleted"), octal(response.toByteArray()) + "\n");
    } catch (IOException e) {
      Log.warn("answer for delete not recorded", "path", bundle.toString(), "error", String.valueOf(e.getMessage()));
    }
  }

  /** Whether {@code delete} has marked {@code id} as removed by itself; the mark is gone then. */
  boolean takeRemoved(String id) {
    try {
      return Files.deleteIfExists(removed().resolve(id));
    } catch (IOException e) {
      Log.warn("mark of a removal not read", "id", id, "error", String.valueOf(e.getMessage()));
      return false;
    }
  }

  void remove(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      Log.warn("file not removed", "path", file.toString(), "error", String.valueOf(e.getMessage()));
    }
  }

  /** Each byte as a backslash and three octal digits: what printf(1) of a shell turns back into bytes. */
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
