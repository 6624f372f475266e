package io.loomshim.linux;

import java.util.Optional;

/**
 * Reading and writing stream sockets, and who the peer is (recv(2), unix(7)). None of the methods blocks but those
 * whose name ends in {@code Here}. Stateless.
 */
public final class StreamSocket {
  private static final int SOL_SOCKET = 1;
  private static final int SO_PEERCRED = 17; // struct ucred: pid, uid, gid
  private static final int UCRED_BYTES = 12;
  private static final int UCRED_USER = 4;
  private static final int UCRED_GROUP = 8;
  private static final int MSG_DONTWAIT = 0x40;
  private static final int MSG_NOSIGNAL = 0x4000;
  private static final int SHUT_RDWR = 2;

  /** For most frames, which are shorter. */
  private static final SpareMemory SMALL = new SpareMemory(1024);

  private static final long RECV = Native.function("recv");
  private static final long SEND = Native.function("send");
  private static final long SHUTDOWN = Native.function("shutdown");
  private static final long GETSOCKOPT = Native.function("getsockopt");
  private static final long GETEUID = Native.function("geteuid");
  private static final long GETEGID = Native.function("getegid");

  private StreamSocket() {}

  /** Reads what there is, at most {@code length} bytes: how many, 0 at the end, −1 when there is nothing now. */
  public static int receive(Fd socket, byte[] into, int offset, int length) throws ErrnoException {
    return receive(socket, into, offset, length, MSG_DONTWAIT);
  }

  /**
   * The same, but waits in the kernel until there is something: on a platform thread only, and a socket in blocking
   * mode. {@link #shutdown} ends it, an interrupt does not.
   */
  public static int receiveHere(Fd socket, byte[] into, int offset, int length) throws ErrnoException {
    return receive(socket, into, offset, length, 0);
  }

  private static int receive(Fd socket, byte[] into, int offset, int length, int flags) throws ErrnoException {
    long address = memory(length);
    try {
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
    } finally {
      give(address, length);
    }
  }

  /** Writes what there is room for: how many bytes, −1 when there is none now. */
  public static int send(Fd socket, byte[] data, int offset, int length) throws ErrnoException {
    return send(socket, data, offset, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  /** The same, but waits in the kernel until there is room, as {@link #receiveHere} does. */
  public static int sendHere(Fd socket, byte[] data, int offset, int length) throws ErrnoException {
    return send(socket, data, offset, length, MSG_NOSIGNAL);
  }

  private static int send(Fd socket, byte[] data, int offset, int length, int flags) throws ErrnoException {
    long address = memory(length);
    try {
      Native.MEMORY.putByteArray(address, data, offset, length);
      long result;
      do {
        result = Native.callLong(SEND, socket.number(), address, length, flags);
      } while (result == -Errno.EINTR);
      return result == -Errno.EAGAIN ? -1 : ErrnoException.check("send", (int) result);
    } finally {
      give(address, length);
    }
  }

  private static long memory(int bytes) {
    if (bytes <= SMALL.bytes()) {
      return SMALL.take();
    }
    long address = Native.MEMORY.allocateMemory(bytes, false);
    if (address == 0) {
      throw new OutOfMemoryError("no native memory for " + bytes + " bytes");
    }
    return address;
  }

  private static void give(long address, int bytes) {
    if (bytes <= SMALL.bytes()) {
      SMALL.give(address);
    } else {
      Native.MEMORY.freeMemory(address);
    }
  }

  /** Ends both directions, whoever else has the socket open; wakes all who wait for it. */
  public static void shutdown(Fd socket) {
    Native.callInt(SHUTDOWN, socket.number(), SHUT_RDWR);
  }

  /**
   * Who the peer was when it connected (SO_PEERCRED), if it had not the effective user and group of this process.
   *
   * @return {@code USER:GROUP}, two numbers, or empty
   * @throws ErrnoException when the kernel does not tell
   */
  public static Optional<String> stranger(Fd socket) throws ErrnoException {
    try (var arena = new Arena(UCRED_BYTES + Integer.BYTES + 32L)) {
      long peer = arena.bytes(UCRED_BYTES);
      long length = arena.bytes(Integer.BYTES);
      Native.MEMORY.putInt(length, UCRED_BYTES);
      int result = Native.callInt(GETSOCKOPT, socket.number(), SOL_SOCKET, SO_PEERCRED, peer, length);
      ErrnoException.check("getsockopt", result);
      int user = Native.MEMORY.getInt(peer + UCRED_USER);
      int group = Native.MEMORY.getInt(peer + UCRED_GROUP);
      return user == Native.callInt(GETEUID) && group == Native.callInt(GETEGID) ? Optional.empty()
          : Optional.of(Integer.toUnsignedString(user) + ":" + Integer.toUnsignedString(group));
    }
  }
}
