package io.loomshim.daemon;

import io.loomshim.linux.DatagramSocket;
import io.loomshim.linux.ErrnoException;
import io.loomshim.log.Log;
import io.loomshim.log.LogLine;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Log lines for systemd's journal, each an entry with fields. A line that the journal does not take goes where it would
 * go without a journal, and the first of them in a row is preceded by the reason. Any thread; never waits.
 */
final class Journal implements Log.Sink {
  private static final String NOT_TAKEN = "the journal takes no lines; they go into containerd's log";

  private final DatagramSocket socket;
  private final String namespace;
  private final Log.Sink otherwise;
  private final AtomicBoolean failing = new AtomicBoolean();

  private Journal(DatagramSocket socket, String namespace, Log.Sink otherwise) {
    this.socket = socket;
    this.namespace = namespace;
    this.otherwise = otherwise;
  }

  /**
   * The sink of a daemon.
   *
   * @param path the socket of the journal; empty for none, then {@code otherwise} is the sink
   * @param namespace the containerd namespace of the daemon
   */
  static Log.Sink of(String path, String namespace, Log.Sink otherwise) {
    if (path.isEmpty()) {
      return otherwise;
    }
    try {
      return new Journal(DatagramSocket.to(Path.of(path)), namespace, otherwise);
    } catch (ErrnoException e) {
      otherwise.write(LogLine.warning("", NOT_TAKEN, String.valueOf(e.getMessage())));
      return otherwise;
    }
  }

  @Override
  public void write(LogLine line) {
    try {
      socket.send(line.entry(namespace, Thread.currentThread().getName()));
      failing.set(false);
    } catch (ErrnoException e) {
      if (failing.compareAndSet(false, true)) {
        otherwise.write(LogLine.warning(line.id(), NOT_TAKEN, String.valueOf(e.getMessage())));
      }
      otherwise.write(line);
    }
  }

  @Override
  public void write(String id, byte[] line) {
    otherwise.write(id, line);
  }
}
