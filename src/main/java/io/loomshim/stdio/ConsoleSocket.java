package io.loomshim.stdio;

import io.loomshim.linux.Deadline;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Poller;
import io.loomshim.linux.Pty;
import io.loomshim.linux.SocketCalls;
import io.loomshim.log.Log;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * The Unix socket over which runc hands the master of a new pseudo terminal over ({@code --console-socket}, runc's
 * docs/terminals.md): one connection, one message, one descriptor in SCM_RIGHTS (unix(7)).
 *
 * <p>It lies in a directory of its own that only root can enter. Used by the thread of the call that creates the
 * process. runc does not wait for an accept: once it has ended well, connection and message wait in the socket. So open
 * this, let runc run, and only then call {@link #receive}; when runc fails, close it and nothing waits for anything.
 * Where they lie is a registry of the process, set before the first is opened.
 */
public final class ConsoleSocket implements AutoCloseable {
  /** Bytes of a path that a socket address surely has room for with its end: sun_path of unix(7) has 108. */
  static final int PATH_BYTES_MAX = 106;
  /** runc sends the name of the terminal with it; the original refuses as long a name as this. */
  static final int NAME_BYTES_MAX = 4096;

  private static final String IN_DIRECTORY = "/pty.sock";
  private static final String NAME = "pty";
  private static final String TEMPLATE = "/" + NAME + "XXXXXX";

  private static volatile String home = ""; // empty: as the environment says

  private final Path path;
  private final Fd socket;

  private ConsoleSocket(Path path, Fd socket) {
    this.path = path;
    this.socket = socket;
  }

  /** Makes the socket in a new directory under XDG_RUNTIME_DIR or else under TMPDIR or /tmp. */
  public static ConsoleSocket open() throws IOException {
    return home.isEmpty() ? open(System.getenv()) : open(Map.of("TMPDIR", home));
  }

  /** From now on they lie in {@code directory}, if its name is short enough. */
  public static void below(Path directory) {
    home = directory.toString();
  }

  /** Removes what a daemon that was killed has left in {@code directory}. */
  public static void removeLeft(Path directory) throws IOException {
    try (DirectoryStream<Path> left = Files.newDirectoryStream(directory, NAME + "*")) {
      for (Path one : left) {
        Files.deleteIfExists(Path.of(one + IN_DIRECTORY));
        Files.deleteIfExists(one);
      }
    }
  }

  static ConsoleSocket open(Map<String, String> environment) throws IOException {
    String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
    String base = base(runtime, environment.getOrDefault("TMPDIR", ""));
    Path directory = SocketCalls.makeDirectory(base + TEMPLATE);
    Path path = Path.of(directory + IN_DIRECTORY);
    var socket = new ConsoleSocket(path, newSocket(directory));
    try {
      SocketCalls.listen(socket.socket, path);
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

  private static Fd newSocket(Path directory) throws IOException {
    try {
      return SocketCalls.open();
    } catch (ErrnoException e) {
      Files.deleteIfExists(directory);
      throw e;
    }
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
   *     like; {@code the runtime did not hand over a console} when {@code deadline} passed
   */
  public Pty receive(Deadline deadline) throws IOException, InterruptedException {
    int accepted = SocketCalls.accept(socket);
    while (accepted == -Errno.EAGAIN || accepted == -Errno.EINTR) {
      awaitReadable(socket, deadline);
      accepted = SocketCalls.accept(socket);
    }
    try (var connection = new Fd(ErrnoException.check("accept", accepted))) {
      return Pty.of(receiveFd(connection, deadline));
    }
  }

  private static void awaitReadable(Fd fd, Deadline deadline) throws IOException, InterruptedException {
    if (!Poller.shared().awaitReadable(fd, deadline)) {
      throw new IOException("the runtime did not hand over a console");
    }
  }

  private static Fd receiveFd(Fd connection, Deadline deadline) throws IOException, InterruptedException {
    SocketCalls.Message message = SocketCalls.receive(connection, NAME_BYTES_MAX);
    while (message.result() == -Errno.EAGAIN || message.result() == -Errno.EINTR) {
      awaitReadable(connection, deadline);
      message = SocketCalls.receive(connection, NAME_BYTES_MAX);
    }
    return only(ErrnoException.check("recvmsg", message.result()), message);
  }

  /** The one descriptor of {@code message}, which has {@code bytes} of data. */
  private static Fd only(int bytes, SocketCalls.Message message) throws IOException {
    int fds = message.fds().size();
    if (fds == 1 && bytes < NAME_BYTES_MAX) {
      return message.fds().getFirst();
    }
    for (Fd fd : message.fds()) {
      fd.close();
    }
    if (bytes >= NAME_BYTES_MAX || !message.complete()) {
      throw new IOException(
          "recvfd: incorrect number of bytes read (n=" + bytes + " oobn=" + message.controlBytes() + ")");
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
      Log.warn("failed to remove a console socket", "path", path.toString(), "error", String.valueOf(e.getMessage()));
    }
  }
}
