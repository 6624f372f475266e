package io.loomshim.linux;

import io.loomshim.log.Log;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * The Unix socket over which runc hands the master of a new pseudo terminal over ({@code --console-socket}, runc's
 * docs/terminals.md): one connection, one message, one descriptor in SCM_RIGHTS (unix(7)).
 *
 * <p>It lies in a directory of its own that only root can enter. Used by the thread of the call that creates the
 * process. runc needs nobody to accept: once it has ended well, connection and message wait in the socket. So open
 * this, let runc run, and only then call {@link #receive}; when runc fails, close it and nothing waits for anything.
 */
public final class ConsoleSocket implements AutoCloseable {
  /** Bytes of a path that a socket address surely has room for with its end: sun_path of unix(7) has 108. */
  static final int PATH_BYTES_MAX = 106;
  /** runc sends the name of the terminal with it; the original refuses as long a name as this. */
  static final int NAME_BYTES_MAX = 4096;

  private static final String IN_DIRECTORY = "/pty.sock";
  private static final String TEMPLATE = "/ptyXXXXXX";

  private static final int AF_UNIX = 1;
  private static final int SOCK_STREAM = 1;
  private static final int SOCK_NONBLOCK = 04000;
  private static final int SOCK_CLOEXEC = 02000000;
  private static final int SOL_SOCKET = 1;
  private static final int SCM_RIGHTS = 1;
  private static final int MSG_CMSG_CLOEXEC = 0x40000000;

  // struct sockaddr_un, struct msghdr, struct iovec and struct cmsghdr of 64-bit Linux
  private static final int ADDRESS_BYTES = 110;
  private static final int HEADER_BYTES = 56;
  private static final int VECTOR_BYTES = 16;
  private static final int CONTROL_HEADER_BYTES = 16;
  /** CMSG_SPACE of one descriptor, padding included: by that padding a second one fits and is found out. */
  private static final int CONTROL_BYTES = 24;

  private static final long MKDTEMP = Native.function("mkdtemp");
  private static final long SOCKET = Native.function("socket");
  private static final long BIND = Native.function("bind");
  private static final long LISTEN = Native.function("listen");
  private static final long ACCEPT4 = Native.function("accept4");
  private static final long RECVMSG = Native.function("recvmsg");

  private final Path path;
  private final Fd socket;

  private ConsoleSocket(Path path, Fd socket) {
    this.path = path;
    this.socket = socket;
  }

  /** Makes the socket in a new directory under XDG_RUNTIME_DIR or else under TMPDIR or /tmp. */
  public static ConsoleSocket open() throws IOException {
    return open(System.getenv());
  }

  static ConsoleSocket open(Map<String, String> environment) throws IOException {
    String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
    Path directory = makeDirectory(base(runtime, environment.getOrDefault("TMPDIR", "")));
    Path path = Path.of(directory + IN_DIRECTORY);
    var socket = new ConsoleSocket(path, newSocket(directory));
    try {
      socket.listen();
      if (!runtime.isEmpty()) {
        // the sticky bit keeps what tidies that directory up from removing it (XDG Base Directory Specification)
        Files.setAttribute(path, "unix:mode", 01755);
      }
      return socket;
    } catch (IOException | RuntimeException | Error e) {
      socket.close();
      throw e;
    }
  }

  private static String base(String runtime, String temporary) {
    String base = !runtime.isEmpty() ? runtime : !temporary.isEmpty() ? temporary : "/tmp";
    int rest = TEMPLATE.length() + IN_DIRECTORY.length();
    if (base.getBytes(StandardCharsets.UTF_8).length + rest <= PATH_BYTES_MAX) {
      return base;
    }
    return Files.isWritable(Path.of("/run")) ? "/run" : "/tmp";
  }

  /** mkdtemp(3) makes it with mode 0700. */
  private static Path makeDirectory(String base) throws ErrnoException {
    String template = base + TEMPLATE;
    try (var arena = Arena.forStrings(template)) {
      long address = arena.string(template);
      if (Native.call(MKDTEMP, address, 0, 0, 0, 0, 0) == 0) {
        throw new ErrnoException("mkdir " + template, Native.lastErrno());
      }
      return Path.of(new String(Native.MEMORY.getZeroTerminatedByteArray(address), StandardCharsets.UTF_8));
    }
  }

  private static Fd newSocket(Path directory) throws IOException {
    int result = Native.callInt(SOCKET, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, 0, 0, 0);
    if (result < 0) {
      Files.deleteIfExists(directory);
    }
    return new Fd(ErrnoException.check("socket", result));
  }

  private void listen() throws ErrnoException {
    byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
    try (var arena = new Arena(ADDRESS_BYTES)) {
      long address = arena.bytes(ADDRESS_BYTES);
      Native.MEMORY.putShort(address, (short) AF_UNIX);
      Native.MEMORY.putByteArray(address + 2, name, 0, name.length);
      int length = 2 + name.length + 1;
      ErrnoException.check("bind " + path, Native.callInt(BIND, socket.number(), address, length, 0, 0, 0));
    }
    ErrnoException.check("listen", Native.callInt(LISTEN, socket.number(), 1, 0, 0, 0, 0));
  }

  /** The absolute path for runc. */
  public Path path() {
    return path;
  }

  /**
   * Accepts one connection and takes the terminal from its first message. A descriptor that comes too many is closed.
   * What is there already is taken even when {@code deadline} has passed.
   *
   * @throws IOException {@code provided file is not a console}, {@code recvfd: number of fds is not 1: N} and the
   *     like; {@code no console was handed over in time} when {@code deadline} passed
   */
  public Pty receive(Deadline deadline) throws IOException, InterruptedException {
    int accepted = accept();
    while (accepted == -Errno.EAGAIN || accepted == -Errno.EINTR) {
      awaitReadable(socket, deadline);
      accepted = accept();
    }
    try (var connection = new Fd(ErrnoException.check("accept", accepted))) {
      return Pty.of(receiveFd(connection, deadline));
    }
  }

  private int accept() {
    return Native.callInt(ACCEPT4, socket.number(), 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC, 0, 0);
  }

  private static void awaitReadable(Fd fd, Deadline deadline) throws IOException, InterruptedException {
    if (!Poller.shared().awaitReadable(fd, deadline)) {
      throw new IOException("no console was handed over in time");
    }
  }

  private static Fd receiveFd(Fd connection, Deadline deadline) throws IOException, InterruptedException {
    try (var arena = new Arena(HEADER_BYTES + VECTOR_BYTES + CONTROL_BYTES + NAME_BYTES_MAX + 64L)) {
      long vector = arena.bytes(VECTOR_BYTES);
      Native.MEMORY.putLong(vector, arena.bytes(NAME_BYTES_MAX));
      Native.MEMORY.putLong(vector + 8, NAME_BYTES_MAX);
      long control = arena.bytes(CONTROL_BYTES);
      long header = arena.bytes(HEADER_BYTES);
      Native.MEMORY.putLong(header + 16, vector);
      Native.MEMORY.putLong(header + 24, 1);
      Native.MEMORY.putLong(header + 32, control);
      Native.MEMORY.putLong(header + 40, CONTROL_BYTES);
      int count = receiveMessage(connection, header);
      while (count == -Errno.EAGAIN || count == -Errno.EINTR) {
        awaitReadable(connection, deadline);
        count = receiveMessage(connection, header);
      }
      ErrnoException.check("recvmsg", count);
      return only(count, control, Native.MEMORY.getLong(header + 40));
    }
  }

  private static int receiveMessage(Fd connection, long header) {
    return (int) Native.callLong(RECVMSG, connection.number(), header, MSG_CMSG_CLOEXEC, 0, 0, 0);
  }

  /** The one descriptor of a message with {@code bytes} of data and {@code controlBytes} of ancillary data. */
  private static Fd only(int bytes, long control, long controlBytes) throws IOException {
    int fds = 0;
    if (controlBytes >= CONTROL_HEADER_BYTES && Native.MEMORY.getInt(control + 8) == SOL_SOCKET
        && Native.MEMORY.getInt(control + 12) == SCM_RIGHTS) {
      fds = (int) (Native.MEMORY.getLong(control) - CONTROL_HEADER_BYTES) / Integer.BYTES;
    }
    if (fds == 1 && bytes < NAME_BYTES_MAX) {
      return new Fd(Native.MEMORY.getInt(control + CONTROL_HEADER_BYTES));
    }
    for (int i = 0; i < fds; i++) {
      new Fd(Native.MEMORY.getInt(control + CONTROL_HEADER_BYTES + (long) i * Integer.BYTES)).close();
    }
    if (bytes >= NAME_BYTES_MAX || controlBytes != CONTROL_BYTES) {
      throw new IOException("recvfd: incorrect number of bytes read (n=" + bytes + " oobn=" + controlBytes + ")");
    }
    throw new IOException("recvfd: number of fds is not 1: " + fds);
  }

  /** Closes the socket and removes it with its directory. */
  @Override
  public void close() {
    socket.close();
    try {
      Files.deleteIfExists(path);
      Files.deleteIfExists(path.getParent());
    } catch (IOException e) {
      Log.warn("console socket not removed", "path", path.toString(), "error", String.valueOf(e.getMessage()));
    }
  }
}
