package io.loomshim.linux;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** The reading end of Unix datagrams, in the place of a journal. Used by one thread. */
public final class DatagramReader implements AutoCloseable {
  private static final int DATAGRAM_BYTES_MAX = 1 << 18;

  private final Fd socket;
  private final Path path;

  private DatagramReader(Fd socket, Path path) {
    this.socket = socket;
    this.path = path;
  }

  /** Makes a socket at {@code path}. */
  public static DatagramReader at(Path path) throws ErrnoException {
    Fd socket = SocketCalls.open(SocketCalls.SOCK_DGRAM);
    SocketCalls.bind(socket, path);
    return new DatagramReader(socket, path);
  }

  /** The next datagram, if one has come. */
  public Optional<byte[]> next() throws ErrnoException {
    byte[] buffer = new byte[DATAGRAM_BYTES_MAX];
    int count = socket.tryRead(buffer);
    return count < 0 ? Optional.empty() : Optional.of(Arrays.copyOf(buffer, count));
  }

  /** Closes the socket and removes its name. */
  @Override
  public void close() {
    socket.close();
    path.toFile().delete();
  }
}
