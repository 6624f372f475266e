package io.loomshim.daemon;

import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.log.Log;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Where log lines go. A line about a container goes into the fifo {@code log} of its bundle, and containerd copies it
 * into its own log. A line about no container goes into the newest fifo that is open. When no such fifo has a reader,
 * the line goes to standard error, which is a file of bounded size.
 *
 * <p>{@code lock} guards the map and the order of lines; writes never block.
 */
final class ContainerLogs implements Log.Sink {
  /**
   * Bytes that the daemon writes to its standard error in its whole life: enough to explain, too few to fill a disk.
   */
  static final long STDERR_BYTES_MAX = 1 << 20;

  private static final int S_IFMT = 0170000;
  private static final int S_IFIFO = 0010000;

  private final ReentrantLock lock = new ReentrantLock();
  private final LinkedHashMap<String, Fd> logs = new LinkedHashMap<>(); // the newest last
  private long stderrBytes;

  /**
   * Opens the log in {@code bundle}; empty when there is no fifo or the fifo has no reader. Runs within a step of
   * {@link Aside}.
   */
  static Optional<Fd> find(Path bundle) {
    Path path = bundle.resolve("log");
    try {
      Fd log = Fd.open(path.toString(), Fd.O_WRONLY | Fd.O_APPEND | Fd.O_NONBLOCK, 0);
      if (((Integer) Files.getAttribute(path, "unix:mode") & S_IFMT) == S_IFIFO) {
        return Optional.of(log);
      }
      log.close(); // a write to a file may wait for its file system, and all other lines would wait with it
    } catch (IOException e) {
      // ENXIO: no reader; ENOENT: a client that wants no log
    }
    return Optional.empty();
  }

  /** Sends the lines about the container {@code id} to {@code log}, which this object owns from now on. */
  void put(String id, Fd log) {
    lock.lock();
    try {
      Fd old = logs.remove(id);
      logs.put(id, log);
      if (old != null) {
        old.close();
      }
    } finally {
      lock.unlock();
    }
  }

  /** The same, unless they have a log already: then {@code log} is closed. */
  void reopened(String id, Fd log) {
    lock.lock();
    try {
      if (logs.putIfAbsent(id, log) != null) {
        log.close();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Closes {@code log}, if it is what the lines about {@code id} go to. */
  void close(String id, Fd log) {
    lock.lock();
    try {
      if (logs.get(id) == log) {
        logs.remove(id);
        log.close();
      }
    } finally {
      lock.unlock();
    }
  }

  void close(String id) {
    lock.lock();
    try {
      Fd log = logs.remove(id);
      if (log != null) {
        log.close();
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void write(String id, byte[] line) {
    lock.lock();
    try {
      Fd log = logs.get(id);
      if (log == null && !logs.isEmpty()) {
        log = logs.lastEntry().getValue();
      }
      if (log == null || !written(log, line)) {
        toStderr(line);
      }
    } finally {
      lock.unlock();
    }
  }

  private static boolean written(Fd log, byte[] line) {
    try {
      return log.tryWrite(line, 0, line.length) >= 0;
    } catch (ErrnoException e) {
      return false; // EPIPE: containerd is down
    }
  }

  private void toStderr(byte[] line) {
    stderrBytes += line.length;
    if (stderrBytes <= STDERR_BYTES_MAX) {
      System.err.write(line, 0, line.length);
      System.err.flush();
    }
  }
}
