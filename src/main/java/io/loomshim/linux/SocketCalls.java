package io.loomshim.linux;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Unix sockets (unix(7)): how they are made and connected, and descriptors that are handed over. All sockets here are
 * closed on exec, and non-blocking but for those of {@link #acceptWaiting}. Stateless.
 */
public final class SocketCalls {
  // socket(2), accept(2), recv(2)
  private static final int SOCK_STREAM = 1;
  static final int SOCK_DGRAM = 2;
  private static final int SOCK_NONBLOCK = 04000;
  private static final int SOCK_CLOEXEC = 02000000;
  private static final int SOL_SOCKET = 1;
  private static final int SCM_RIGHTS = 1;
  private static final int MSG_CMSG_CLOEXEC = 0x40000000;

  // struct msghdr of 64-bit Linux
  private static final int HEADER_BYTES = 56;
  private static final int HEADER_VECTOR = 16;
  private static final int HEADER_VECTORS = 24;
  private static final int HEADER_CONTROL = 32;
  private static final int HEADER_CONTROL_LENGTH = 40;
  // struct iovec: address, length
  private static final int VECTOR_BYTES = 16;
  // struct cmsghdr: u64 length of it all, int level, int type
  private static final int CONTROL_HEADER_BYTES = 16;
  private static final int CONTROL_LEVEL = 8;
  private static final int CONTROL_TYPE = 12;
  /** CMSG_SPACE of one descriptor, padding included: by that padding a second one fits and is found out. */
  private static final int CONTROL_BYTES = 24;

  private static final long SOCKET = Native.function("socket");
  private static final long BIND = Native.function("bind");
  private static final long LISTEN = Native.function("listen");
  private static final long CONNECT = Native.function("connect");
  private static final long ACCEPT4 = Native.function("accept4");
  private static final long RECVMSG = Native.function("recvmsg");
  private static final long MKDTEMP = Native.function("mkdtemp");

  /**
   * What {@link #receive} has found.
   *
   * @param result how many bytes of data, or a negative error number: EAGAIN when there is no message
   * @param controlBytes how many bytes of ancillary data
   * @param fds the descriptors among those, which are the caller's now
   */
  public record Message(int result, long controlBytes, List<Fd> fds) {
    /** Whether the ancillary data is as long as that of one descriptor, or two. */
    public boolean complete() {
      return controlBytes == CONTROL_BYTES;
    }
  }

  private SocketCalls() {}

  /** A stream socket (socket(2)). */
  public static Fd open() throws ErrnoException {
    return open(SOCK_STREAM);
  }

  static Fd open(int type) throws ErrnoException {
    int result = Native.callInt(SOCKET, UnixAddress.AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return new Fd(ErrnoException.check("socket", result));
  }

  /** Gives {@code socket} the name {@code path}, of at most 107 bytes, and listens for one connection at a time. */
  public static void listen(Fd socket, Path path) throws ErrnoException {
    listen(socket, path, 1);
  }

  /** The same for {@code backlog} connections that wait. */
  public static void listen(Fd socket, Path path, int backlog) throws ErrnoException {
    bind(socket, path);
    ErrnoException.check("listen", Native.callInt(LISTEN, socket.number(), backlog));
  }

  static void bind(Fd socket, Path path) throws ErrnoException {
    var name = new UnixAddress(path);
    if (name.tooLong()) {
      throw new ErrnoException("bind " + path, Errno.ENAMETOOLONG);
    }
    try (var arena = new Arena(name.length())) {
      ErrnoException.check("bind " + path, Native.callInt(BIND, socket.number(), name.in(arena), name.length()));
    }
  }

  /** Connects to what listens at {@code path}: 0, or a negative error number: EAGAIN while the queue there is full. */
  public static int connect(Fd socket, Path path) {
    var name = new UnixAddress(path);
    if (name.tooLong()) {
      return -Errno.ENAMETOOLONG;
    }
    try (var arena = new Arena(name.length())) {
      return Native.callInt(CONNECT, socket.number(), name.in(arena), name.length());
    }
  }

  /** The next connection's descriptor number, or a negative error number: EAGAIN without one, EINTR. */
  public static int accept(Fd socket) {
    return Native.callInt(ACCEPT4, socket.number(), 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
  }

  /** The same for a connection in blocking mode, of which {@link StreamSocket} waits only where it is told to. */
  public static int acceptWaiting(Fd socket) {
    return Native.callInt(ACCEPT4, socket.number(), 0, 0, SOCK_CLOEXEC);
  }

  /** Receives one message (recvmsg(2)): two descriptors at most, and {@code bytesMax} of data, which are dropped. */
  public static Message receive(Fd connection, int bytesMax) {
    try (var arena = new Arena(HEADER_BYTES + VECTOR_BYTES + CONTROL_BYTES + bytesMax + 64L)) {
      long vector = arena.bytes(VECTOR_BYTES);
      Native.MEMORY.putLong(vector, arena.bytes(bytesMax));
      Native.MEMORY.putLong(vector + 8, bytesMax);
      long control = arena.bytes(CONTROL_BYTES);
      long header = arena.bytes(HEADER_BYTES);
      Native.MEMORY.putLong(header + HEADER_VECTOR, vector);
      Native.MEMORY.putLong(header + HEADER_VECTORS, 1);
      Native.MEMORY.putLong(header + HEADER_CONTROL, control);
      Native.MEMORY.putLong(header + HEADER_CONTROL_LENGTH, CONTROL_BYTES);
      int result = (int) Native.callLong(RECVMSG, connection.number(), header, MSG_CMSG_CLOEXEC);
      if (result < 0) {
        return new Message(result, 0, List.of());
      }
      long controlBytes = Native.MEMORY.getLong(header + HEADER_CONTROL_LENGTH);
      return new Message(result, controlBytes, descriptors(control, controlBytes));
    }
  }

  private static List<Fd> descriptors(long control, long controlBytes) {
    var fds = new ArrayList<Fd>();
    if (controlBytes >= CONTROL_HEADER_BYTES && Native.MEMORY.getInt(control + CONTROL_LEVEL) == SOL_SOCKET
        && Native.MEMORY.getInt(control + CONTROL_TYPE) == SCM_RIGHTS) {
      int count = (int) (Native.MEMORY.getLong(control) - CONTROL_HEADER_BYTES) / Integer.BYTES;
      for (int i = 0; i < count; i++) {
        fds.add(new Fd(Native.MEMORY.getInt(control + CONTROL_HEADER_BYTES + (long) i * Integer.BYTES)));
      }
    }
    return fds;
  }

  /**
   * Makes a directory for a socket that only its owner may enter, with letters and digits in the place of the
   * {@code XXXXXX} at the end of {@code template} (mkdtemp(3)).
   *
   * @throws ErrnoException {@code mkdir TEMPLATE: …}
   */
  public static Path makeDirectory(String template) throws ErrnoException {
    try (var arena = Arena.forStrings(template)) {
      long address = arena.string(template);
      ErrnoException.check("mkdir " + template, (int) Math.min(0, Native.callPointer(MKDTEMP, address)));
      return Path.of(new String(Native.MEMORY.getZeroTerminatedByteArray(address), StandardCharsets.UTF_8));
    }
  }
}
