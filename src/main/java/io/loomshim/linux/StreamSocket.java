package io.loomshim.linux;

/**
 * What the JDK's Unix sockets cannot do: read without taking out, and be another process's before (recv(2), unix(7)).
 * None of the methods blocks. Stateless.
 */
public final class StreamSocket {
  private static final int SOL_SOCKET = 1;
  private static final int SO_PEERCRED = 17; // struct ucred: pid, uid, gid
  private static final int UCRED_BYTES = 12;
  private static final int MSG_PEEK = 2;
  private static final int MSG_DONTWAIT = 0x40;
  private static final int MSG_NOSIGNAL = 0x4000;
  private static final int SHUT_RDWR = 2;
  private static final int POLLRDHUP = 0x2000; // poll(2)

  private static final long RECV = Native.function("recv");
  private static final long SEND = Native.function("send");
  private static final long SHUTDOWN = Native.function("shutdown");
  private static final long GETSOCKOPT = Native.function("getsockopt");
  private static final long GETEUID = Native.function("geteuid");
  private static final long GETEGID = Native.function("getegid");

  private StreamSocket() {}

  /**
   * Reads what there is, at most {@code length} bytes.
   *
   * @param peek whether it stays in the socket
   * @return how many bytes, 0 at the end, −1 when there is nothing now
   */
  public static int receive(Fd socket, byte[] into, int offset, int length, boolean peek) throws ErrnoException {
    try (var arena = new Arena(length)) {
      long address = arena.bytes(length);
      int flags = MSG_DONTWAIT | (peek ? MSG_PEEK : 0);
      long result;
      do {
        result = Native.callLong(RECV, socket.number(), address, length, flags);
      } while (result == -Errno.EINTR);
      if (result == -Errno.EAGAIN) {
        return -1;
      }
      int count = ErrnoException.check("recv", (int) result);
      Native.MEMORY.getByteArray(address, into, offset, count);
      return count;
    }
  }

  /** Whether the peer will write no more, though something may still be there to be read. */
  public static boolean over(Fd socket) {
    return socket.poll(POLLRDHUP, 0) > 0;
  }

  /** Writes what there is room for: how many bytes, −1 when there is none now. */
  public static int send(Fd socket, byte[] data, int offset, int length) throws ErrnoException {
    try (var arena = new Arena(length)) {
      long address = arena.bytes(length);
      Native.MEMORY.putByteArray(address, data, offset, length);
      long result;
      do {
        result = Native.callLong(SEND, socket.number(), address, length, MSG_DONTWAIT | MSG_NOSIGNAL);
      } while (result == -Errno.EINTR);
      return result == -Errno.EAGAIN ? -1 : ErrnoException.check("send", (int) result);
    }
  }

  /** Ends both directions, whoever else has the socket open; wakes all who wait for it. */
  public static void shutdown(Fd socket) {
    Native.callInt(SHUTDOWN, socket.number(), SHUT_RDWR);
  }

  /**
   * Whether the peer, when it connected, had the effective user and group of this process (SO_PEERCRED).
   *
   * @throws ErrnoException when the kernel does not tell
   */
  public static boolean sameUser(Fd socket) throws ErrnoException {
    try (var arena = new Arena(UCRED_BYTES + Integer.BYTES + 32L)) {
      long peer = arena.bytes(UCRED_BYTES);
      long length = arena.bytes(Integer.BYTES);
      Native.MEMORY.putInt(length, UCRED_BYTES);
      int result = Native.callInt(GETSOCKOPT, socket.number(), SOL_SOCKET, SO_PEERCRED, peer, length);
      ErrnoException.check("getsockopt", result);
      return Native.MEMORY.getInt(peer + 4) == Native.callInt(GETEUID)
          && Native.MEMORY.getInt(peer + 8) == Native.callInt(GETEGID);
    }
  }
}
