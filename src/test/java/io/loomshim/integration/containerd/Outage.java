package io.loomshim.integration.containerd;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Stands at the socket of a containerd that takes no events. A thread of its own accepts; {@link #close} may be called
 * by any thread.
 */
final class Outage implements AutoCloseable {
  /** What becomes of those who connect. */
  enum Kind {
    /** There is no socket. */
    ABSENT,
    /** The connection ends at once. */
    RESETS,
    /** Nothing is read and nothing is answered. */
    STALLS
  }

  private final Kind kind;
  private final Path socket;
  private final ServerSocketChannel listener;
  private final List<SocketChannel> stalled = new CopyOnWriteArrayList<>();

  private Outage(Kind kind, Path socket) throws IOException {
    this.kind = kind;
    this.socket = socket;
    listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    if (kind != Kind.ABSENT) {
      listener.bind(UnixDomainSocketAddress.of(socket));
      Thread.ofVirtual().name("outage").start(this::accept);
    }
  }

  /** Begins at {@code socket}, where nothing is. */
  static Outage begin(Kind kind, Path socket) {
    try {
      return new Outage(kind, socket);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel connection = listener.accept();
        if (kind == Kind.RESETS) {
          connection.close();
        } else {
          stalled.add(connection);
        }
      }
    } catch (IOException e) {
      // the end of the outage
    }
  }

  @Override
  public void close() {
    try {
      listener.close();
      for (SocketChannel connection : stalled) {
        connection.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    socket.toFile().delete();
  }
}
