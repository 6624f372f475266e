package io.loomshim.daemon;

import io.loomshim.threads.Threads;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Opens the daemon's socket on an OS thread of its own, while the main thread does the rest of the start. The first
 * Unix-domain socket of a JVM loads the security providers, for random names that this program never uses.
 */
final class Listener {
  /** Connections that may wait for accept(2): the containers of a node may all start at once. */
  private static final int BACKLOG = 1024;

  private final Path socket;
  private final Thread thread;

  // Written by that thread before it ends.
  private ServerSocketChannel channel;
  private IOException failure;

  private Listener(Path socket) {
    this.socket = socket;
    thread = Threads.startPlatform("listen", new Binding());
  }

  /** Begins to open {@code socket}. */
  static Listener begin(Path socket) {
    return new Listener(socket);
  }

  Path socket() {
    return socket;
  }

  /**
   * Waits until the socket listens, and returns it. An interrupt does not end the wait.
   *
   * @throws IOException when the socket cannot be opened
   */
  ServerSocketChannel channel() throws IOException {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (failure != null) {
      throw failure;
    }
    return channel;
  }

  /** A class, because the first lambda of a JVM costs milliseconds. */
  private final class Binding implements Runnable {
    @Override
    public void run() {
      try {
        Files.deleteIfExists(socket);
        channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        channel.bind(UnixDomainSocketAddress.of(socket), BACKLOG);
      } catch (IOException e) {
        failure = new IOException("cannot listen on " + socket + ": " + e.getMessage(), e);
      }
    }
  }
}
