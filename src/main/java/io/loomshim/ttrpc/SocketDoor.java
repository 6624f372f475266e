package io.loomshim.ttrpc;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.PolledSocket;
import io.loomshim.linux.SocketCalls;
import io.loomshim.linux.StreamSocket;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A door on a path; it and its lines end with this process. */
public final class SocketDoor implements Door {
  /** Connections that may wait for accept(2): all clients of a node may start at once. */
  private static final int BACKLOG = 1024;

  private final PolledSocket socket;
  private long number; // of the thread that accepts

  private SocketDoor(PolledSocket socket) {
    this.socket = socket;
  }

  /**
   * Listens on {@code path}, in the place of what is there.
   *
   * @throws IOException {@code cannot listen on PATH: …}
   */
  public static SocketDoor listen(Path path) throws IOException {
    Fd socket = listening(path);
    try {
      return new SocketDoor(new PolledSocket(socket));
    } catch (RuntimeException | Error e) {
      socket.close();
      throw e;
    }
  }

  /** The bare socket of {@link #listen}, for another kind of door, which owns it. */
  public static Fd listening(Path path) throws IOException {
    try {
      Files.deleteIfExists(path);
      Fd socket = SocketCalls.open();
      try {
        SocketCalls.listen(socket, path, BACKLOG);
        return socket;
      } catch (IOException | RuntimeException | Error e) {
        socket.close();
        throw e;
      }
    } catch (IOException e) {
      throw new IOException("cannot listen on " + path + ": " + e.getMessage(), e);
    }
  }

  @Override
  public Line accept() throws IOException {
    Fd fd = socket.enter();
    try {
      while (socket.isOpen()) { // a socket that has been shut down has no connection now, for ever
        int accepted = SocketCalls.acceptWaiting(fd);
        if (accepted >= 0) {
          return line(new Fd(accepted));
        }
        if (accepted == -Errno.EAGAIN) {
          socket.awaitReadable();
        } else if (accepted != -Errno.EINTR) {
          throw new ErrnoException("accept", -accepted);
        }
      }
      throw new ClosedChannelException();
    } catch (InterruptedException e) {
      throw new InterruptedIOException("interrupted");
    } finally {
      socket.leave();
    }
  }

  private Line line(Fd accepted) {
    try {
      return new SocketLine(new PolledSocket(accepted), ++number);
    } catch (RuntimeException | Error e) {
      accepted.close();
      throw e;
    }
  }

  @Override
  public boolean isOpen() {
    return socket.isOpen();
  }

  /** No one can connect any more; the file stays. */
  @Override
  public void close() {
    socket.close();
  }

  /** A class with fields and not a record, whose first use generates code. */
  private static final class SocketLine implements Line {
    private final PolledSocket socket;
    private final SocketStream stream;
    private final long number;

    private SocketLine(PolledSocket socket, long number) {
      this.socket = socket;
      this.stream = new SocketStream(socket, true);
      this.number = number;
    }

    @Override
    public Optional<String> stranger() throws IOException {
      Fd fd = socket.enter();
      try {
        return StreamSocket.stranger(fd);
      } finally {
        socket.leave();
      }
    }

    @Override
    public long number() {
      return number;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
      return stream.read(into);
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
      return stream.write(from);
    }

    @Override
    public boolean isOpen() {
      return stream.isOpen();
    }

    @Override
    public void close() {
      stream.close();
    }
  }
}
