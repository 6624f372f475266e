package io.loomshim.linux;

import java.nio.file.Path;

/**
 * A Unix socket for datagrams (unix(7)) to one other, which the JDK does not have. It is not connected, so the other
 * one may be made anew. Sending never waits. May be used from any thread.
 */
public final class DatagramSocket implements AutoCloseable {
  /** Bytes in the path of a socket. */
  public static final int PATH_BYTES_MAX = UnixAddress.PATH_BYTES_MAX;

  // send(2)
  private static final int MSG_DONTWAIT = 0x40;
  private static final int MSG_NOSIGNAL = 0x4000;

  private static final long SENDTO = Native.function("sendto");

  private final Fd socket;
  private final Path path;
  private final UnixAddress address;

  private DatagramSocket(Fd socket, Path path, UnixAddress address) {
    this.socket = socket;
    this.path = path;
    this.address = address;
  }

  /**
   * Makes a socket whose datagrams go to {@code path}, which need not exist.
   *
   * @throws ErrnoException EMFILE and the like; ENAMETOOLONG
   */
  public static DatagramSocket to(Path path) throws ErrnoException {
    var address = new UnixAddress(path);
    if (address.tooLong()) {
      throw new ErrnoException("send to " + path, Errno.ENAMETOOLONG);
    }
    return new DatagramSocket(SocketCalls.open(SocketCalls.SOCK_DGRAM), path, address);
  }

  /**
   * Sends one datagram.
   *
   * @throws ErrnoException {@code send to PATH: …}: ENOENT or ECONNREFUSED when there is no reader, EAGAIN when it does
   *     not keep up, EMSGSIZE when the datagram is larger than the socket's buffer, some 200 KB
   */
  public void send(byte[] datagram) throws ErrnoException {
    try (var arena = new Arena((long) datagram.length + address.length() + 64)) {
      long bytes = arena.bytes(datagram.length);
      Native.MEMORY.putByteArray(bytes, datagram, 0, datagram.length);
      int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      ErrnoException.check("send to " + path, Native.callInt(SENDTO, socket.number(), bytes, datagram.length, flags,
          address.in(arena), address.length()));
    }
  }

  @Override
  public void close() {
    socket.close();
  }
}
